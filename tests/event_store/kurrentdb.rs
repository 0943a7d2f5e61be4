//! KurrentDB: a double that speaks its protocol, and a real server if one is configured.

use std::sync::Arc;

use connect_four::event_store::KurrentDbStore;

use crate::double::Double;
use crate::real_kurrentdb;
use crate::support::Opened;

pub(crate) async fn open_double() -> Opened {
    let double = Double::start().await;
    let store = store_at(&double.connection_string()).await;
    Opened::new(Arc::new(store), double)
}

pub(crate) async fn open_real() -> Opened {
    let store = store_at(&real_kurrentdb::url()).await;
    Opened::new(Arc::new(store), ())
}

async fn store_at(url: &str) -> KurrentDbStore {
    let connection = url.parse().expect("a good connection string");
    KurrentDbStore::open(connection).await.expect("it opens")
}
