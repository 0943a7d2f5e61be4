//! Request bodies: small JSON objects with string members. Every member is checked, so that one response lists
//! all errors.

use crate::http::problem::ProblemType;
use std::borrow::Cow;
use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;

use axum::body::HttpBody;
use axum::extract::{FromRef, FromRequest, Request};
use axum::http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HOST};
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue};
use mediatype::MediaType;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::error::Category;
use serde_json::{Value, json};

use super::body_bytes::{payload_too_large, read_body};
use super::body_value::BodyValue;
use super::list::elements;
use crate::domain::PlayerName;
use crate::http::problem::Problem;
use crate::live::Live;

/// The largest body of a request that names new players, in bytes. Large enough for two names of 64 characters
/// with every character escaped.
const LARGEST_BODY: usize = 4096;

/// The largest body of a request that names a player of a stored game, in bytes. The tutorial stored names of
/// any length. Large enough for a name of 10,000 characters with every character escaped.
pub(crate) const LARGEST_WITH_STORED_NAME: usize = 64 * 1024;

/// A type that is built from the members of a request body.
pub(crate) trait FromMembers: Sized {
    /// A valid body, shown to a client that sent another media type.
    const EXAMPLE: &'static str;

    /// The largest body that is read, in bytes.
    const LARGEST: usize = LARGEST_BODY;

    /// Takes the members that the type needs. `None` if one is missing or invalid; [`Members`] then has the
    /// error.
    fn from_members(members: &mut Members<'_>) -> Option<Self>;
}

/// A request body, checked for 413, 415, 408 and 400 in this order. The handler checks for all other 400s before it
/// [reads](ApiJson::read) the value, which may be a 422.
#[derive(Debug)]
pub(crate) struct ApiJson<T>(Result<T, Problem>);

impl<T> ApiJson<T> {
    /// The value of the body; a 422 if a member is missing, unknown or invalid.
    pub(crate) fn read(self) -> Result<T, Problem> {
        self.0
    }
}

impl<S: Send + Sync, T: FromMembers> FromRequest<S> for ApiJson<T>
where
    Arc<Live>: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        let (head, body) = request.into_parts();
        // The `Content-Length`, if there is one.
        if body.size_hint().lower() > T::LARGEST as u64 {
            return Err(payload_too_large(T::LARGEST));
        }
        if has_content_coding(&head.headers) {
            return Err(unsupported_content_coding(&head, T::EXAMPLE));
        }
        if !is_json(&head.headers) {
            return Err(unsupported_media_type(&head, T::EXAMPLE));
        }
        let live = Arc::<Live>::from_ref(state);
        let body = read_body(body, head.version, T::LARGEST, &live).await?;
        // A byte order mark is not JSON, but may be ignored (RFC 8259, 8.1).
        let text = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&body);
        Ok(ApiJson(match serde_json::from_slice(text) {
            Ok(members) => made_of(members),
            Err(error) => match (other_encoding(&body), error.classify()) {
                (Some(encoding), _) => {
                    return Err(malformed_json(format_args!(
                        "it is {encoding}. JSON is sent in UTF-8, without compression"
                    )));
                }
                (None, Category::Data) => Err(no_object()),
                (None, Category::Syntax | Category::Eof | Category::Io) => {
                    return Err(malformed_json(error));
                }
            },
        }))
    }
}

fn made_of<T: FromMembers>(mut members: Members<'_>) -> Result<T, Problem> {
    let made = T::from_members(&mut members);
    members.finish()?;
    made.ok_or_else(Problem::internal_error)
}

fn no_object() -> Problem {
    let detail = "the body must be a JSON object";
    invalid_request(&[json!({"pointer": "#", "detail": detail})])
}

/// `application/json`, or a type with the suffix `+json` (RFC 6839, 3.1).
fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).map(HeaderValue::to_str);
    let content_type = match content_type {
        // What nearly all clients send.
        Some(Ok("application/json")) => return true,
        Some(Ok(content_type)) => content_type,
        Some(Err(_)) | None => return false,
    };
    MediaType::parse(content_type).is_ok_and(|media_type| {
        media_type.ty == "application"
            && (media_type.subty == "json" || media_type.suffix.is_some_and(|s| s == "json"))
    })
}

/// Whether `Content-Encoding` has a coding other than `identity`.
fn has_content_coding(headers: &HeaderMap) -> bool {
    if !headers.contains_key(CONTENT_ENCODING) {
        return false;
    }
    let lines = headers.get_all(CONTENT_ENCODING).iter();
    lines.map(HeaderValue::to_str).any(|line| line.is_err())
        || elements(headers, CONTENT_ENCODING)
            .any(|coding| !coding.eq_ignore_ascii_case("identity"))
}

fn unsupported_content_coding(head: &Parts, example: &str) -> Problem {
    let curl = curl(head, example);
    unsupported(format!(
        "The body has a Content-Encoding, and the service accepts none. Send the JSON as it is: {curl}"
    ))
    .with_header(ACCEPT_ENCODING, HeaderValue::from_static("identity"))
}

fn unsupported_media_type(head: &Parts, example: &str) -> Problem {
    let curl = curl(head, example);
    unsupported(format!(
        "The Content-Type is not JSON. Send JSON with this Content-Type: {curl}"
    ))
}

fn unsupported(detail: String) -> Problem {
    Problem::new(ProblemType::UnsupportedMediaType, detail)
        .with("accepted", ["application/json"])
        .with_header(ACCEPT, HeaderValue::from_static("application/json"))
}

/// A command that sends a valid request to the same resource. The host is from the request target, which HTTP/2 uses
/// instead of `Host`. It is part of the command only if no shell can take it for anything else than a host.
fn curl(head: &Parts, example: &str) -> String {
    let target = head.uri.authority().map(Authority::as_str);
    let field = head.headers.get(HOST).and_then(|host| host.to_str().ok());
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-._:[]".contains(letter);
    let host = target.or(field).filter(|host| host.chars().all(is_plain));
    let host = host.unwrap_or("localhost");
    let (method, path) = (&head.method, head.uri.path());
    format!(
        "curl -X {method} -H 'Content-Type: application/json' -d '{example}' 'http://{host}{path}'"
    )
}

fn malformed_json(reason: impl fmt::Display) -> Problem {
    Problem::new(
        ProblemType::MalformedJson,
        format!("The body is not JSON: {reason}. Correct the body."),
    )
}

/// The encoding or the compression of a body that is not JSON in UTF-8, by its first bytes (RFC 4627, 3 for the
/// encodings, since the first two characters of JSON are ASCII).
fn other_encoding(body: &[u8]) -> Option<&'static str> {
    match body {
        [0x1f, 0x8b, ..] => Some("compressed with gzip"),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some("compressed with zstd"),
        [0x78, 0x01 | 0x5e | 0x9c | 0xda, ..] => Some("compressed with deflate"),
        [0, 0, 0xfe, 0xff, ..] | [0xff, 0xfe, 0, 0, ..] | [0, 0, 0, _, ..] | [_, 0, 0, 0, ..] => {
            Some("in UTF-32")
        }
        [0xfe, 0xff, ..] | [0xff, 0xfe, ..] | [0, _, ..] | [_, 0, ..] => Some("in UTF-16"),
        _ => str::from_utf8(body).is_err().then_some("not in UTF-8"),
    }
}

/// The most errors in one response, so that a small request does not cause a large response.
const MOST_ERRORS: usize = 10;

/// The longest name of a member that is shown, in characters.
const LONGEST_NAME: usize = 64;

/// These values of the body are not valid.
pub(crate) fn invalid_request(errors: &[Value]) -> Problem {
    let first = errors
        .first()
        .and_then(|error| Some((error["pointer"].as_str()?, error["detail"].as_str()?)));
    let detail = first.map_or(String::new(), |(pointer, detail)| match errors {
        [_] => format!("{pointer}: {detail}."),
        _ => format!("{pointer}: {detail}. Fix every entry in errors."),
    });
    let (shown, more) = errors.split_at(errors.len().min(MOST_ERRORS));
    if more.is_empty() {
        return Problem::new(ProblemType::InvalidRequest, detail).with("errors", shown);
    }
    let more = more.len();
    let detail = format!("{detail} There are {more} more errors.");
    Problem::new(ProblemType::InvalidRequest, detail)
        .with("errors", shown)
        .with("more_errors", more)
}

/// The members of the body that were not taken yet, and the errors found so far.
#[derive(Debug)]
pub(crate) struct Members<'a> {
    given: Vec<(MemberName<'a>, BodyValue<'a>)>,
    errors: Vec<Value>,
}

/// Borrowed from the body, unless it has escapes.
#[derive(Debug, Deserialize)]
struct MemberName<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a> Members<'a> {
    /// Takes a required string member and parses it.
    pub(crate) fn text<T, E: fmt::Display>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        match self.take(name) {
            Some(BodyValue::Text(text)) => parse(&text)
                .map_err(|error| self.member_error(name, error))
                .ok(),
            Some(BodyValue::Other(_)) => {
                self.member_error(name, "this member must be a string");
                None
            }
            None => {
                self.member_error(name, "this member is required");
                None
            }
        }
    }

    /// Takes the name of a player of a stored game. Any string is allowed: the rules for names apply only to new
    /// games, and the name is compared with those of the game's players, up to its Unicode normalization.
    pub(crate) fn stored_name(&mut self, name: &str) -> Option<PlayerName> {
        self.text(name, |text| Ok::<_, Infallible>(PlayerName::recorded(text)))
    }

    /// Takes an optional member of any type.
    pub(crate) fn optional(&mut self, name: &str) -> Option<Value> {
        self.take(name).map(Value::from)
    }

    fn take(&mut self, name: &str) -> Option<BodyValue<'a>> {
        let place = self.given.iter().position(|(given, _)| given.0 == name)?;
        Some(self.given.remove(place).1)
    }

    /// Adds an error of the value that this JSON Pointer names.
    pub(crate) fn error(&mut self, pointer: &str, detail: impl fmt::Display) {
        self.errors
            .push(json!({"pointer": pointer, "detail": detail.to_string()}));
    }

    fn member_error(&mut self, name: &str, detail: impl fmt::Display) {
        match name.char_indices().nth(LONGEST_NAME) {
            None => self.error(&format!("#/{}", pointer_token(name)), detail),
            // A part of a name would be a pointer to another member.
            Some((end, _)) => self.error("#", format_args!("{}…: {detail}", &name[..end])),
        }
    }

    fn finish(mut self) -> Result<(), Problem> {
        for (name, _) in std::mem::take(&mut self.given) {
            self.member_error(&name.0, "this member is unknown, or is given twice");
        }
        if self.errors.is_empty() {
            return Ok(());
        }
        Err(invalid_request(&self.errors))
    }
}

/// A member's name as a token of a JSON Pointer (RFC 6901, 3) in a URI fragment (RFC 6901, 6).
fn pointer_token(name: &str) -> String {
    const NOT_IN_FRAGMENT: &AsciiSet = &CONTROLS
        .add(b' ')
        .add(b'"')
        .add(b'#')
        .add(b'%')
        .add(b'<')
        .add(b'>')
        .add(b'[')
        .add(b'\\')
        .add(b']')
        .add(b'^')
        .add(b'`')
        .add(b'{')
        .add(b'|')
        .add(b'}');
    let token = name.replace('~', "~0").replace('/', "~1");
    utf8_percent_encode(&token, NOT_IN_FRAGMENT).to_string()
}

/// Written by hand to detect a member that is given twice. Parsers differ in which one they keep (RFC 8259, 4),
/// so a proxy may have checked another value than this service would use.
impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Members {
                    // More than most bodies have.
                    given: Vec::with_capacity(4),
                    errors: Vec::new(),
                };
                while let Some(member) = map.next_entry()? {
                    members.given.push(member);
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(Object)
    }
}
