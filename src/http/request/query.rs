//! Query parameters. A parameter that is unknown, given twice or out of range is refused by name: if a misspelt
//! parameter were ignored, the client would get the response to another query.

use crate::http::problem::ProblemType;
use std::borrow::Cow;
use std::ops::RangeInclusive;

use axum::extract::FromRequestParts;
use percent_encoding::percent_decode_str;

use crate::http::problem::Problem;
use axum::http::request::Parts;

/// The query parameters that were not taken yet.
#[derive(Debug)]
pub(crate) struct Query(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = Problem;

    async fn from_request_parts(head: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let Some(query) = head.uri.query() else {
            return Ok(Query(Vec::new()));
        };
        // The parser would replace the bytes, and the client would get the answer to another query.
        if let Some(parameter) = query.split('&').find(|parameter| !is_utf8(parameter)) {
            let name = parameter.split('=').next().unwrap_or_default();
            let name = percent_decode_str(name).decode_utf8_lossy();
            return Err(invalid_query(
                &name,
                format!("The parameter {name:?} is not percent-encoded UTF-8. Encode it as UTF-8."),
            ));
        }
        let owned =
            |(name, value): (Cow<'_, str>, Cow<'_, str>)| (name.into_owned(), value.into_owned());
        Ok(Query(
            form_urlencoded::parse(query.as_bytes())
                .map(owned)
                .collect(),
        ))
    }
}

fn is_utf8(encoded: &str) -> bool {
    percent_decode_str(encoded).decode_utf8().is_ok()
}

impl Query {
    /// Takes a number, if the parameter is present.
    pub(crate) fn number(
        &mut self,
        name: &str,
        range: RangeInclusive<u64>,
    ) -> Result<Option<u64>, Problem> {
        let Some(text) = self.take(name) else {
            return Ok(None);
        };
        match text.parse() {
            Ok(number) if range.contains(&number) => Ok(Some(number)),
            Ok(_) | Err(_) => {
                let (least, most) = range.into_inner();
                Err(invalid_query(
                    name,
                    format!("{name} must be a number from {least} to {most}, not {text:?}."),
                ))
            }
        }
    }

    /// Takes one of these words, if the parameter is present.
    pub(crate) fn word(
        &mut self,
        name: &str,
        words: &[&'static str],
    ) -> Result<Option<&'static str>, Problem> {
        let Some(text) = self.take(name) else {
            return Ok(None);
        };
        match words.iter().find(|word| **word == text) {
            Some(word) => Ok(Some(word)),
            None => Err(invalid_query(
                name,
                format!("{name} must be {}, not {text:?}.", words.join(" or ")),
            )),
        }
    }

    /// Takes one of these words and returns its value, if the parameter is present.
    pub(crate) fn named<T: Copy, const N: usize>(
        &mut self,
        name: &str,
        words: &[(&'static str, T); N],
    ) -> Result<Option<T>, Problem> {
        let known = words.each_ref().map(|(word, _)| *word);
        let word = self.word(name, &known)?;
        let named = words.iter().find(|(known, _)| Some(*known) == word);
        Ok(named.map(|(_, meant)| *meant))
    }

    /// Takes any text, if the parameter is present.
    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        self.take(name)
    }

    /// Takes and parses the text, if the parameter is present. It is invalid if `parse` returns `None`.
    pub(crate) fn parsed<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Option<T>,
        expected: &str,
    ) -> Result<Option<T>, Problem> {
        let Some(text) = self.take(name) else {
            return Ok(None);
        };
        match parse(&text) {
            Some(parsed) => Ok(Some(parsed)),
            None => Err(invalid_query(
                name,
                format!("{name} must be {expected}, not {text:?}."),
            )),
        }
    }

    fn take(&mut self, name: &str) -> Option<String> {
        let place = self.0.iter().position(|(given, _)| given == name)?;
        Some(self.0.remove(place).1)
    }

    /// Refuses the request if a parameter was not taken.
    pub(crate) fn finish(self) -> Result<(), Problem> {
        match self.0.first() {
            None => Ok(()),
            Some((name, _)) => Err(invalid_query(
                name,
                format!("The parameter {name:?} is unknown, or is given twice. Remove it."),
            )),
        }
    }
}

/// The parameter is not valid.
pub(crate) fn invalid_query(parameter: &str, detail: String) -> Problem {
    Problem::new(ProblemType::InvalidQuery, detail).with("parameter", parameter)
}
