//! The same answers as the model, command by command.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use account::store::{Store, battery};

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_answers_as_the_model_does() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let number = AtomicU32::new(0);
    battery::battery(async || -> Arc<dyn Store> {
        let file = folder.path().join(format!("{}.db", number.fetch_add(1, Ordering::Relaxed)));
        ldapgate_store::open(&format!("sqlite:{}", file.display())).await.expect("the store opens")
    })
    .await;
}
