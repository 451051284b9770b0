/// What a peer may make us read. Every number is a limit on one frame, that is one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest frame that is read, in bytes with its header.
    pub max_frame: usize,
    /// The longest frame that is sent, in bytes with its header.
    pub max_request: usize,
    /// How deep a filter may nest; everything above 120 means 120.
    pub max_depth: usize,
    /// How many elements (tag, length, content) one frame may hold.
    pub max_elements: usize,
    /// How many controls one message may carry.
    pub max_controls: usize,
    /// How many requests of one connection a server keeps waiting for their answer.
    pub max_outstanding: usize,
}

impl Limits {
    /// For what servers send: 16 MiB, because groups and photographs are large. Requests may have 4 MiB.
    pub const fn client() -> Limits {
        Limits {
            max_frame: 16 << 20,
            max_request: 4 << 20,
            max_depth: 100,
            max_elements: 1_000_000,
            max_controls: 64,
            max_outstanding: 65_536,
        }
    }

    /// For what clients send: 1 MiB. Answers may have 16 MiB.
    pub const fn server() -> Limits {
        Limits {
            max_frame: 1 << 20,
            max_request: 16 << 20,
            max_depth: 100,
            max_elements: 100_000,
            max_controls: 64,
            max_outstanding: 1_000,
        }
    }
}
