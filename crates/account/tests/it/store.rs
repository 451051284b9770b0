//! The store that forgets, against its own meaning.

use std::sync::Arc;

use ldapgate_account::store::{MemoryStore, Store, battery};
use proptest::prelude::*;

#[tokio::test]
async fn the_memory_store_passes_the_battery() {
    battery::battery(async || Arc::new(MemoryStore::new()) as Arc<dyn Store>).await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_of_commands_is_answered_as_the_model_does(seed: u64, length in 1usize..200) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(battery::follow_script(&MemoryStore::new(), seed, length));
    }
}
