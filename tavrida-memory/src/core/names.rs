//! The names that the broker generates: of queues, of consumers, of reply addresses.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use smallvec::SmallVec;
use tavrida::field::ShortString;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// A deterministic source of names: the same seed and the same history return the same names.
///
/// The generator is SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", OOPSLA 2014): names must be
/// different, not secret.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    state: u64,
}

impl Names {
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// Returns a queue name, such as `amq.gen-Xw8v0RlSVYwYJlHSIA_9sA`: 30 bytes.
    pub(crate) fn queue(&mut self) -> ShortString {
        self.name("amq.gen-", 22)
    }

    /// Returns a consumer tag: 31 bytes.
    pub(crate) fn consumer_tag(&mut self) -> ShortString {
        self.name("amq.ctag-", 22)
    }

    /// Returns the tag that a client chose, or a generated one.
    pub(crate) fn tag_or(&mut self, chosen: ShortString) -> ShortString {
        if chosen.is_empty() { self.consumer_tag() } else { chosen }
    }

    /// Returns an address for direct replies as RabbitMQ generates it: the name, an encoded process of the broker, and a key.
    pub(crate) fn reply_address(&mut self, name: &str) -> ShortString {
        let node = format!("reply@{:08}", self.next() % 100_000_000);
        let process = (self.next() & 0xffff).to_be_bytes();
        let term =
            [&[131, 88, 119, 14], node.as_bytes(), &process[4..], &[0, 0, 0, 0], &[0, 0, 0, 1]].concat();
        let key = self.name("", 22);
        let address = format!("{name}.{}.{key}==", STANDARD.encode(term));
        address.try_into().expect("a made-up name is shorter than 255 bytes")
    }

    fn name(&mut self, prefix: &str, letters: usize) -> ShortString {
        let mut text = SmallVec::<[u8; 96]>::from_slice(prefix.as_bytes());
        text.resize(prefix.len() + letters, 0);
        // 64 bits are enough for ten letters of six bits each.
        for ten in text[prefix.len()..].chunks_mut(10) {
            let mut bits = self.next();
            for letter in ten {
                *letter = ALPHABET[(bits & 63) as usize];
                bits >>= 6;
            }
        }
        let text = std::str::from_utf8(&text).expect("prefixes are text, and letters are ASCII");
        text.try_into().expect("a made-up name is shorter than 255 bytes")
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r49_names_have_rabbitmqs_shape_and_repeat_from_the_seed() {
        let mut names = Names::new(7);
        let (queue, tag) = (names.queue(), names.consumer_tag());
        assert_eq!((queue.len(), tag.len()), (30, 31));
        assert!(queue.starts_with("amq.gen-") && tag.starts_with("amq.ctag-"));
        assert_ne!(names.queue(), queue);
        assert_eq!(Names::new(7).queue(), queue);
    }
}
