//! A JSON value in a request body. A text is borrowed from the body, unless it has escapes.

use std::borrow::Cow;
use std::fmt;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

#[derive(Debug)]
pub(super) enum BodyValue<'a> {
    Text(Cow<'a, str>),
    Other(Value),
}

impl From<BodyValue<'_>> for Value {
    fn from(value: BodyValue<'_>) -> Value {
        match value {
            BodyValue::Text(text) => text.into(),
            BodyValue::Other(value) => value,
        }
    }
}

impl<'de> Deserialize<'de> for BodyValue<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = BodyValue<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<BodyValue<'de>, E> {
        Ok(BodyValue::Text(text.into()))
    }

    fn visit_str<E>(self, text: &str) -> Result<BodyValue<'de>, E> {
        Ok(BodyValue::Text(text.to_owned().into()))
    }

    fn visit_unit<E>(self) -> Result<BodyValue<'de>, E> {
        Ok(BodyValue::Other(Value::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<BodyValue<'de>, E> {
        Ok(BodyValue::Other(value.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<BodyValue<'de>, E> {
        Ok(BodyValue::Other(number.into()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<BodyValue<'de>, E> {
        Ok(BodyValue::Other(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<BodyValue<'de>, E> {
        Ok(BodyValue::Other(number.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<BodyValue<'de>, A::Error> {
        Value::deserialize(SeqAccessDeserializer::new(list)).map(BodyValue::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<BodyValue<'de>, A::Error> {
        Value::deserialize(MapAccessDeserializer::new(object)).map(BodyValue::Other)
    }
}
