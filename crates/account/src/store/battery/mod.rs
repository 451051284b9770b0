//! One battery of tests for every store: sentences about each command, and random sequences against the model.
//!
//! It panics at the first difference, with the seed and the commands that led there.

mod group;
mod random;
mod revalidation;
mod sentences;
mod token;

use std::sync::Arc;

pub use random::Script;

use super::{State, Store, run};

/// Runs everything against stores that `open` makes; each must be empty and not shared.
///
/// # Panics
///
/// At the first answer that differs from the model's, and when a store answers with an error.
pub async fn battery(open: impl AsyncFn() -> Arc<dyn Store>) {
    sentences::attempts(&open).await;
    sentences::people(&open).await;
    sentences::logins_under_way(&open).await;
    sentences::retirement(&open).await;
    sentences::relinking(&open).await;
    group::grants(&open).await;
    group::mirrored(&open).await;
    sentences::sessions(&open).await;
    sentences::tokens_and_secrets(&open).await;
    sentences::changes(&open).await;
    revalidation::turns(&open).await;
    revalidation::losses(&open).await;
    revalidation::lists(&open).await;
    revalidation::leases_and_marks(&open).await;
    token::signed_tokens(&open).await;
    token::keys(&open).await;
    token::records(&open).await;
    for seed in 0..24 {
        follow_script(&*open().await, seed, 120).await;
    }
}

/// Runs a made-up sequence of commands on an empty store and on the model; `seed` chooses the sequence.
///
/// # Panics
///
/// As [`battery`].
pub async fn follow_script(store: &dyn Store, seed: u64, length: usize) {
    let mut state = State::default();
    let mut script = Script::new(seed);
    let mut told = Vec::new();
    for step in 0..length {
        let command = script.next_command();
        told.push(format!("{step}: {command:?}"));
        let expected = state.apply(command.clone());
        let found = run(store, command).await;
        let found = found.unwrap_or_else(|error| panic!("seed {seed}, step {step}: {error:?}"));
        assert!(
            found == expected,
            "seed {seed}, step {step}\n the store: {found:?}\n the model: {expected:?}\n after:\n{}",
            told.join("\n")
        );
    }
}
