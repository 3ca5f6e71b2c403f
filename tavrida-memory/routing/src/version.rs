//! [`RabbitMq`]: the version whose rules apply.

use std::fmt;

/// The version of RabbitMQ whose rules a topology follows.
///
/// | rule | 3.10 | 4.0 |
/// |---|---|---|
/// | numbers at a headers exchange | compared by value, whatever their type | integers with integers, floats with floats; `0.0` is not `-0.0` |
/// | a timestamp in the headers of a message | an integer of seconds | an integer of milliseconds |
/// | an unknown exchange type | 503 | 406 |
/// | `x-death` sent by a client | continued | ignored |
/// | a classic queue with `x-queue-leader-locator` | 406 | accepted |
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum RabbitMq {
    /// 3.10, as observed on 3.10.8.
    #[default]
    V3_10,
    /// 4.0, as observed on 4.0.5.
    V4_0,
}

impl fmt::Display for RabbitMq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V3_10 => "RabbitMQ 3.10",
            Self::V4_0 => "RabbitMQ 4.0",
        })
    }
}
