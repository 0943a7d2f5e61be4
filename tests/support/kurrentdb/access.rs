//! Whether a call is answered at all: a node that is not ready, does not lead, is shutting
//! down, or does not permit what the user asks for.

use tonic::metadata::MetadataMap;
use tonic::{Code, Status};

use super::{Double, Shared};

impl Double {
    /// Requires this `authorization` header in every call except `GetSupportedMethods`, which the
    /// server answers for every user.
    pub fn demand_authorization(&self, header: &str) {
        self.shared.switches().authorization = Some(header.to_owned());
    }

    /// While true, users may append to streams and read them, but not read or subscribe to `$all`.
    pub fn forbid_reading_all(&self, is_forbidden: bool) {
        self.shared.switches().is_all_forbidden = is_forbidden;
    }
}

impl Shared {
    /// `Ok` if the call may be answered. Never resolves on a node that is shutting down.
    pub(super) async fn admit(&self, metadata: &MetadataMap) -> Result<(), Status> {
        self.wait_while_silent().await;
        if let Some(reason) = &self.switches().unavailable {
            return Err(Status::unavailable(reason));
        }
        self.admit_user(metadata)?;
        if let Some(leader) = self.switches().leader
            && header(metadata, "requires-leader") == Some("true")
        {
            let mut trailers = MetadataMap::new();
            let text = |text: &str| text.parse().expect("ASCII");
            trailers.insert("exception", text("not-leader"));
            trailers.insert("leader-endpoint-host", text(&leader.ip().to_string()));
            trailers.insert("leader-endpoint-port", text(&leader.port().to_string()));
            let message = "Leader info available";
            return Err(Status::with_metadata(Code::NotFound, message, trailers));
        }
        Ok(())
    }

    pub(super) fn admit_user(&self, metadata: &MetadataMap) -> Result<(), Status> {
        if let Some(demanded) = &self.switches().authorization
            && header(metadata, "authorization") != Some(demanded)
        {
            return Err(Status::unauthenticated("Access Denied"));
        }
        Ok(())
    }

    pub(super) fn admit_to_all(&self) -> Result<(), Status> {
        if self.switches().is_all_forbidden {
            return Err(Status::permission_denied("Access Denied"));
        }
        Ok(())
    }

    /// Never returns while the node is shutting down: the connection stays open until the
    /// process ends, and nothing is sent on it.
    pub(super) async fn wait_while_silent(&self) {
        let mut silent = self.silent.subscribe();
        // It cannot fail: the sender is `self`.
        let _ = silent.wait_for(|is_silent| !is_silent).await;
    }
}

fn header<'a>(metadata: &'a MetadataMap, name: &str) -> Option<&'a str> {
    metadata.get(name).and_then(|value| value.to_str().ok())
}
