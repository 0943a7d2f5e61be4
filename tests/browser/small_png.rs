//! Pictures with few colours, which make small files: a page has hardly more than a palette holds.

use std::collections::HashMap;
use std::io::Cursor;

use png::{BitDepth, ColorType, Compression, Decoder, Encoder, Transformations};

type Colour = [u8; 3];

/// The same picture with its 256 most frequent colours; each other one becomes the nearest of them.
pub(crate) fn with_palette(picture: &[u8]) -> Vec<u8> {
    let mut decoder = Decoder::new(Cursor::new(picture));
    decoder.set_transformations(Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().expect("a picture");
    let mut bytes = vec![0; reader.output_buffer_size().expect("a size")];
    let frame = reader.next_frame(&mut bytes).expect("a picture");
    let size = frame.color_type.samples();
    let pixels: Vec<Colour> = bytes[..frame.buffer_size()]
        .chunks(size)
        .map(|pixel| [pixel[0], pixel[1], pixel[2]])
        .collect();

    let mut counts = HashMap::<Colour, usize>::new();
    for pixel in &pixels {
        *counts.entry(*pixel).or_default() += 1;
    }
    let mut palette: Vec<_> = counts.keys().copied().collect();
    palette.sort_by_key(|colour| (std::cmp::Reverse(counts[colour]), *colour));
    palette.truncate(256);
    let nearest: HashMap<Colour, u8> = counts
        .keys()
        .map(|colour| {
            let places = 0..=u8::MAX;
            let known = places.zip(&palette);
            let best = known.min_by_key(|(_, known)| distance(colour, known));
            (*colour, best.map_or(0, |(place, _)| place))
        })
        .collect();

    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, frame.width, frame.height);
    encoder.set_color(ColorType::Indexed);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_palette(palette.concat());
    encoder.set_compression(Compression::High);
    encoder.set_filter(png::Filter::NoFilter);
    let mut writer = encoder.write_header().expect("memory takes everything");
    let indexed: Vec<u8> = pixels.iter().map(|pixel| nearest[pixel]).collect();
    writer.write_image_data(&indexed).expect("a whole picture");
    writer.finish().expect("memory takes everything");
    file
}

fn distance(one: &Colour, other: &Colour) -> u32 {
    let channels = one.iter().zip(other);
    channels
        .map(|(one, other)| u32::from(one.abs_diff(*other)).pow(2))
        .sum()
}
