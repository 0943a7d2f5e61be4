//! Which characters the name of a new player may contain, and when two names are the same name. The
//! properties of characters come from the Unicode standard.

use std::borrow::Cow;

use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};
use icu_properties::props::{
    DefaultIgnorableCodePoint, ExtendedPictographic, GeneralCategory, PrependedConcatenationMark,
    WhiteSpace,
};
use icu_properties::{CodePointMapData, CodePointSetData};

/// Joins emoji into one, as in a family.
const ZERO_WIDTH_JOINER: char = '\u{200d}';
/// Chooses the text form of the emoji before it.
const TEXT_FORM: char = '\u{fe0e}';
/// Chooses the colour form of the emoji before it.
const EMOJI_FORM: char = '\u{fe0f}';
/// Makes a keycap of the digit, `#` or `*` before it.
const KEYCAP: char = '\u{20e3}';
/// The colours of skin. They follow the emoji that they change.
const SKIN_TONES: std::ops::RangeInclusive<char> = '\u{1f3fb}'..='\u{1f3ff}';
/// Characters that are drawn as nothing, although Unicode counts them as neither white space nor
/// ignorable: the Braille pattern without dots, the musical null notehead and the Khitan filler.
const EMPTY_SYMBOLS: [char; 3] = ['\u{2800}', '\u{1d159}', '\u{16fe4}'];

/// Why a character is not allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Forbidden {
    /// A control character, or a separator of lines or paragraphs.
    Control,
    /// Invisible, or a control of the direction of the text.
    Invisible,
}

/// The first character that a new name may not contain, with its place, counted from 1.
pub(super) fn first_forbidden(name: &str) -> Option<(Forbidden, char, usize)> {
    let characters: Vec<char> = name.chars().collect();
    characters
        .iter()
        .enumerate()
        .find_map(|(index, &character)| {
            let forbidden = forbidden(character)?;
            let (before, after) = (&characters[..index], &characters[index + 1..]);
            (!is_part_of_emoji(before, character, after)).then_some((
                forbidden,
                character,
                index + 1,
            ))
        })
}

/// Whether a name has nothing but blanks of any kind.
pub(super) fn is_blank(name: &str) -> bool {
    let white_space = CodePointSetData::new::<WhiteSpace>();
    name.chars()
        .all(|letter| white_space.contains(letter) || EMPTY_SYMBOLS.contains(&letter))
}

/// The name in Unicode's normal form C. Two names are the same name if this form is the same.
pub(super) fn composed(name: &str) -> Cow<'_, str> {
    match name.is_ascii() {
        true => Cow::Borrowed(name),
        false => ComposingNormalizerBorrowed::new_nfc().normalize(name),
    }
}

/// The name in Unicode's normal form D.
pub(super) fn decomposed(name: &str) -> Cow<'_, str> {
    match name.is_ascii() {
        true => Cow::Borrowed(name),
        false => DecomposingNormalizerBorrowed::new_nfd().normalize(name),
    }
}

fn forbidden(character: char) -> Option<Forbidden> {
    let category = CodePointMapData::<GeneralCategory>::new().get(character);
    if [
        GeneralCategory::Control,
        GeneralCategory::LineSeparator,
        GeneralCategory::ParagraphSeparator,
    ]
    .contains(&category)
    {
        return Some(Forbidden::Control);
    }
    // The format characters that stand before a number, in Arabic for example, are visible.
    let is_visible = CodePointSetData::new::<PrependedConcatenationMark>().contains(character);
    // Some ignorable characters are not format characters, such as the Hangul fillers.
    let is_ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(character);
    let is_invisible = is_ignorable || (category == GeneralCategory::Format && !is_visible);
    is_invisible.then_some(Forbidden::Invisible)
}

/// Whether this joiner or variation selector belongs to an emoji (UAX 29, rule GB11; UTS 51, 1.4).
fn is_part_of_emoji(before: &[char], character: char, after: &[char]) -> bool {
    let is_emoji = |other: &char| CodePointSetData::new::<ExtendedPictographic>().contains(*other);
    let is_tone = |other: &char| SKIN_TONES.contains(other);
    if [TEXT_FORM, EMOJI_FORM].contains(&character) {
        let is_keycap =
            |digit: &char| "0123456789#*".contains(*digit) && after.first() == Some(&KEYCAP);
        return before
            .last()
            .is_some_and(|last| is_emoji(last) || is_keycap(last));
    }
    if character != ZERO_WIDTH_JOINER || !after.first().is_some_and(is_emoji) {
        return false;
    }
    match before {
        [.., emoji, TEXT_FORM | EMOJI_FORM] => is_emoji(emoji),
        [.., emoji, tone] if is_tone(tone) => is_emoji(emoji),
        [.., emoji] => is_emoji(emoji),
        [] => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_joiner_and_a_variation_selector_belong_to_an_emoji() {
        for name in [
            "👩\u{200d}👩\u{200d}👧",
            "🕵🏻\u{200d}♂\u{fe0f}",
            "🏳\u{fe0f}\u{200d}🌈",
            "❤\u{fe0e}",
            "7\u{fe0f}\u{20e3}",
            "\u{601}12",
        ] {
            assert_eq!(first_forbidden(name), None, "{name:?}");
        }
        for (name, place) in [
            ("a\u{200d}b", 2),
            ("👩\u{200d}", 2),
            ("\u{200d}👩", 1),
            ("👩\u{200d}\u{200d}👩", 2),
            ("a\u{fe0f}", 2),
            ("7\u{fe0f}", 2),
            ("❤\u{fe0f}\u{fe0f}", 3),
            ("葛\u{e0100}", 2),
        ] {
            let found = first_forbidden(name).map(|(forbidden, _, place)| (forbidden, place));
            assert_eq!(found, Some((Forbidden::Invisible, place)), "{name:?}");
        }
    }
}
