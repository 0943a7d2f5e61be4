//! TLS: the certificate options of the connection string are used.

use connect_four::event_store::kurrentdb::KurrentDbStore;
use connect_four::event_store::{EventStore, EventStoreError};

use crate::double::Double;
use crate::support::{begin, new_stream, open};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/tls");

fn secure(double: &Double, options: &[(&str, &str)]) -> String {
    let options: Vec<_> = options
        .iter()
        .map(|(name, file)| format!("{name}={FIXTURES}/{file}"))
        .collect();
    format!("kurrentdb://{}?{}", double.address(), options.join("&"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ca_certificate_and_a_client_certificate_give_access_to_a_secure_node() {
    let double = Double::start_with_tls().await;
    let store = open(&secure(
        &double,
        &[
            ("tlsCaFile", "ca.pem"),
            ("userCertFile", "user.pem"),
            ("userKeyFile", "user.key"),
        ],
    ))
    .await;
    let stream = new_stream();
    begin(&store, &stream).await;
    assert_eq!(double.stored(stream.as_str()).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_with_an_untrusted_certificate_is_not_used() {
    let double = Double::start_with_tls().await;
    for options in [
        &[][..],
        // The node's certificate is trusted, but the node demands a client certificate.
        &[("tlsCaFile", "ca.pem")],
    ] {
        let store = open(&secure(&double, options)).await;
        let outcome = store.check().await;
        assert!(
            matches!(outcome, Err(EventStoreError::Unavailable { .. })),
            "{outcome:?}"
        );
    }
    assert_eq!(double.calls().reads, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_without_a_certificate_are_refused_at_start() {
    let double = Double::start_with_tls().await;
    for (option, file) in [
        ("tlsCaFile", "no-such-file.pem"),
        ("tlsCaFile", "no-certificate.pem"),
        ("tlsCaFile", "damaged.pem"),
    ] {
        let connection = secure(&double, &[(option, file)]);
        let connection = connection.parse().expect("the connection string is valid");
        let error = KurrentDbStore::open(connection).await.expect_err(file);
        assert!(error.to_string().contains(file), "{error}");
    }
    let users = [("userCertFile", "user.pem"), ("userKeyFile", "damaged.pem")];
    let connection = secure(&double, &users);
    let connection = connection.parse().expect("the connection string is valid");
    KurrentDbStore::open(connection)
        .await
        .expect_err("a file that is not a key");
}
