//! The house rules that a machine can hold, and that the test kit's own servers start.

mod house;
mod servers;
