//! The TLS configuration of a node in a secure cluster.

use std::path::PathBuf;
use std::sync::Arc;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

pub(super) fn acceptor() -> TlsAcceptor {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let certificate = |file| CertificateDer::from_pem_file(path(file)).expect("a fixture");
    let mut authorities = RootCertStore::empty();
    authorities
        .add(certificate("ca.pem"))
        .expect("an authority");
    let users = WebPkiClientVerifier::builder_with_provider(authorities.into(), provider.clone())
        .build()
        .expect("one authority");
    let key = PrivateKeyDer::from_pem_file(path("node.key")).expect("a fixture");
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider's own")
        .with_client_cert_verifier(users)
        .with_single_cert(vec![certificate("node.pem")], key)
        .expect("the key fits the certificate");
    config.alpn_protocols = vec![b"h2".to_vec()];
    Arc::new(config).into()
}

fn path(file: &str) -> PathBuf {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/tls");
    PathBuf::from(directory).join(file)
}
