//! Which queues an answer may be sent to.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::DIRECT_REPLY_TO;

/// The prefix of the names that the broker generates. A client cannot declare such a name itself.
const NAMED_BY_BROKER: &str = "amq.gen-";

/// Returns whether a name can be that of a reply queue: a queue that the broker named, or an address for direct replies as the broker
/// generates it.
///
/// Other queues have an owner, and a sender of requests could have answers put into any of them. Addresses that no broker generated are
/// refused because RabbitMQ (3.10 and 4.0) closes the publisher's connection for some of them.
///
/// ```
/// use tavrida::transport::is_reply_queue;
///
/// assert!(is_reply_queue("amq.gen-Xw8v0RlSVYwYJlHSIA_9sA"));
/// assert!(!is_reply_queue("orders") && !is_reply_queue("amq.rabbitmq.reply-to.AAAABBBB.CCCC"));
/// ```
pub fn is_reply_queue(name: &str) -> bool {
    name.starts_with(NAMED_BY_BROKER) || is_direct_reply_address(name)
}

/// Returns whether a name is an address for direct replies as RabbitMQ generates it: an encoded process of the broker, a dot and a key.
pub fn is_direct_reply_address(name: &str) -> bool {
    let Some(address) = name.strip_prefix(DIRECT_REPLY_TO).and_then(|rest| rest.strip_prefix('.')) else {
        return false;
    };
    let Some((process, key)) = address.split_once('.') else { return false };
    let is_key =
        !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=-_".contains(&byte));
    is_key && STANDARD.decode(process).is_ok_and(|process| is_process(&process))
}

/// Returns whether bytes are a process id in Erlang's external format
/// (<https://www.erlang.org/doc/apps/erts/erl_ext_dist.html#new_pid_ext>).
fn is_process(term: &[u8]) -> bool {
    let (numbers, rest) = match term {
        // Id, serial and creation; the creation had one byte at first.
        [131, 88, rest @ ..] => (12, rest),
        [131, 103, rest @ ..] => (9, rest),
        _ => return false,
    };
    let (node, rest) = match rest {
        [100 | 118, high, low, rest @ ..] => (usize::from(u16::from_be_bytes([*high, *low])), rest),
        [115 | 119, len, rest @ ..] => (usize::from(*len), rest),
        _ => return false,
    };
    let name = rest.get(..node).and_then(|name| std::str::from_utf8(name).ok());
    rest.len() == node + numbers && name.is_some_and(|name| name.contains('@'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn direct(process: &[u8]) -> String {
        format!("{DIRECT_REPLY_TO}.{}.w3vHgPmCDm8pFnRC6ZpJwQ==", STANDARD.encode(process))
    }

    fn process(head: &[u8], node: &[u8], numbers: usize) -> Vec<u8> {
        [&[131][..], head, node, &vec![0; numbers]].concat()
    }

    #[test]
    fn addresses_that_a_broker_makes_are_known() {
        let made =
            "amq.rabbitmq.reply-to.g1h2AA5yZXBseUA3NDQ4NDQ0NQAADTAAAAAAZUYyIQ==.w3vHgPmCDm8pFnRC6ZpJwQ==";
        assert!(is_direct_reply_address(made));
        assert!(is_direct_reply_address(&direct(&process(&[88, 119, 3], b"a@b", 12))));
        assert!(is_direct_reply_address(&direct(&process(&[103, 100, 0, 3], b"a@b", 9))));
        assert!(is_reply_queue("amq.gen-Xw8v0RlSVYwYJlHSIA_9sA"));
    }

    #[test]
    fn what_no_broker_made_is_no_address() {
        for forged in [
            "AAAABBBB.CCCC".to_owned(),
            "g2EB.AAAA".to_owned(),
            "x".to_owned(),
            String::new(),
            "g1h3AA.AAAA.BBBB".to_owned(),
        ] {
            assert!(!is_reply_queue(&format!("{DIRECT_REPLY_TO}.{forged}")), "{forged}");
        }
        let whole = process(&[88, 119, 3], b"a@b", 12);
        for cut in 0..whole.len() {
            assert!(!is_reply_queue(&direct(&whole[..cut])), "{cut}");
        }
        assert!(!is_reply_queue(&direct(&process(&[88, 119, 3], b"a@b", 13))));
        assert!(!is_reply_queue(&direct(&process(&[88, 119, 3], b"abc", 12))));
    }

    #[test]
    fn other_queues_are_not_reply_queues() {
        for name in ["", "orders", "orders.dead", DIRECT_REPLY_TO, "amq.rabbitmq.trace", "AMQ.GEN-x"] {
            assert!(!is_reply_queue(name), "{name}");
        }
    }
}
