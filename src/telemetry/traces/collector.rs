//! The collector: which one, from the standard variables of OpenTelemetry, and how spans reach it.

use std::env;
use std::error::Error;
use std::time::Duration;

use async_trait::async_trait;
use axum::http::{Request, Response};
use bytes::Bytes;
use opentelemetry::{Key, KeyValue};
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{
    OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_PROTOCOL, OTEL_EXPORTER_OTLP_TIMEOUT,
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_TIMEOUT, WithExportConfig,
    WithHttpConfig,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::runtime::Tokio;
use opentelemetry_sdk::trace::span_processor_with_async_runtime::BatchSpanProcessor;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};
use reqwest::Url;

use super::conventions::by_conventions;
use crate::outage_log::OutageLog;

const OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: &str = "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL";
const PROTOCOL: &str = "http/protobuf";
const SERVICE: &str = "connect-four";
/// The default of the specification.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Why traces cannot be exported.
#[derive(Debug, thiserror::Error)]
pub enum TracesError {
    /// The address of the collector is not usable.
    #[error("{variable} must be a URL that begins with http:// or https://, not {value:?}")]
    Endpoint {
        /// The variable.
        variable: &'static str,
        /// Its value.
        value: String,
    },
    /// The collector is to be reached by another protocol.
    #[error("{variable} must be http/protobuf, not {value:?}")]
    Protocol {
        /// The variable.
        variable: &'static str,
        /// Its value.
        value: String,
    },
    /// The exporter or its HTTP client cannot be built.
    #[error("traces cannot be exported: {0}")]
    Build(#[source] Box<dyn Error + Send + Sync>),
}

/// `None` if the environment names no collector, or if it switches the export off.
pub(super) fn from_environment() -> Result<Option<SdkTracerProvider>, TracesError> {
    let is =
        |name, word: &str| variable(name).is_some_and(|value| value.eq_ignore_ascii_case(word));
    if is("OTEL_SDK_DISABLED", "true") || is("OTEL_TRACES_EXPORTER", "none") {
        return Ok(None);
    }
    let Some(endpoint) = endpoint()? else {
        return Ok(None);
    };
    check_protocol()?;
    let build = |error: Box<dyn Error + Send + Sync>| TracesError::Build(error);
    let http = reqwest::Client::builder().timeout(export_timeout()).build();
    let client = Client {
        http: http.map_err(|error| build(error.into()))?,
        outages: OutageLog::new("the export of traces"),
    };
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_http_client(client)
        .with_endpoint(endpoint)
        .build()
        .map_err(|error| build(error.into()))?;
    // A queue of 2048 spans by default. When it is full, spans are lost.
    let batches = BatchSpanProcessor::builder(Renaming(exporter), Tokio).build();
    let provider = SdkTracerProvider::builder()
        .with_resource(resource())
        .with_span_processor(batches)
        .build();
    Ok(Some(provider))
}

/// Empty counts as not set, as the specification says.
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// The exporter would silently use its default instead of an endpoint that is not valid.
fn endpoint() -> Result<Option<String>, TracesError> {
    let (name, value, path) = match variable(OTEL_EXPORTER_OTLP_TRACES_ENDPOINT) {
        Some(value) => (OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, value, ""),
        None => match variable(OTEL_EXPORTER_OTLP_ENDPOINT) {
            Some(value) => (OTEL_EXPORTER_OTLP_ENDPOINT, value, "/v1/traces"),
            None => return Ok(None),
        },
    };
    let is_http = Url::parse(&value).is_ok_and(|url| ["http", "https"].contains(&url.scheme()));
    match is_http {
        true if path.is_empty() => Ok(Some(value)),
        true => Ok(Some(format!("{}{path}", value.trim_end_matches('/')))),
        false => Err(TracesError::Endpoint {
            variable: name,
            value,
        }),
    }
}

fn check_protocol() -> Result<(), TracesError> {
    for name in [
        OTEL_EXPORTER_OTLP_TRACES_PROTOCOL,
        OTEL_EXPORTER_OTLP_PROTOCOL,
    ] {
        match variable(name) {
            Some(value) if value == PROTOCOL => return Ok(()),
            Some(value) => {
                return Err(TracesError::Protocol {
                    variable: name,
                    value,
                });
            }
            None => {}
        }
    }
    Ok(())
}

/// The exporter leaves this to its HTTP client.
fn export_timeout() -> Duration {
    let given = variable(OTEL_EXPORTER_OTLP_TRACES_TIMEOUT)
        .or_else(|| variable(OTEL_EXPORTER_OTLP_TIMEOUT));
    let milliseconds = given.and_then(|value| value.parse().ok());
    milliseconds.map_or(TIMEOUT, Duration::from_millis)
}

/// The service's name and version, and what the environment says about it.
fn resource() -> Resource {
    let name = Resource::builder().build().get(&Key::new("service.name"));
    let is_named = name.is_some_and(|name| !name.as_str().starts_with("unknown_service"));
    let resource = Resource::builder()
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
    match is_named {
        true => resource.build(),
        false => resource.with_service_name(SERVICE).build(),
    }
}

/// Sends requests to the collector, and logs an outage in a few lines.
#[derive(Debug)]
struct Client {
    http: reqwest::Client,
    outages: OutageLog,
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let sent = self.send(request).await;
        match &sent {
            Ok(_) => self.outages.succeeded(),
            Err(error) => self.outages.failed(&root(&**error)),
        }
        sent
    }
}

impl Client {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let answer = self.http.execute(request.try_into()?).await?;
        let answer = answer.error_for_status()?;
        let status = answer.status();
        let mut response = Response::new(answer.bytes().await?);
        *response.status_mut() = status;
        Ok(response)
    }
}

/// The innermost cause. The outer ones repeat the address.
fn root<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    error.source().map_or(error, root)
}

/// Renames spans before they are exported.
#[derive(Debug)]
struct Renaming<E>(E);

impl<E: SpanExporter> SpanExporter for Renaming<E> {
    async fn export(&self, spans: Vec<SpanData>) -> OTelSdkResult {
        let spans = spans.into_iter().map(by_conventions).collect();
        self.0.export(spans).await
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.0.set_resource(resource);
    }
}
