//! Extreme values in every setter of the configuration: each connects, or is refused with a reason, and none panics or hangs.

use std::panic::catch_unwind;
use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::select;
use tavrida::transport::{Publication, Queue, Transport};
use tavrida_amqp::{AmqpConfig, AmqpTransport};

use crate::support::{config, name, soon};

const YEAR: Duration = Duration::from_secs(365 * 86_400);

fn times() -> Vec<Duration> {
    let millis = [1, 1 << 31, u64::from(u32::MAX), 1 << 32, i64::MAX as u64, u64::MAX];
    let millis = millis.into_iter().map(Duration::from_millis);
    [Duration::ZERO, Duration::from_nanos(1), 1_000 * YEAR, Duration::MAX].into_iter().chain(millis).collect()
}

/// Texts that a name may be: the longest that AMQP can send, longer ones, and what has to be escaped somewhere.
fn texts() -> Vec<String> {
    let long = [255, 256, 65_536, 200_000].map(|length| "x".repeat(length));
    ["", " ", "\0", "a\r\nb", "é\u{1f600}", "%2f", "a,b", "@:/?#[]"]
        .map(str::to_owned)
        .into_iter()
        .chain(long)
        .collect()
}

/// Connects, declares a queue, publishes to it and closes. Returns why not.
async fn works(config: AmqpConfig) -> Result<(), String> {
    let session = soon(AmqpTransport::new(config).connect()).await.map_err(|error| error.to_string())?;
    let queue =
        soon(session.admin().declare_queue(&Queue::exclusive())).await.map_err(|error| error.to_string())?;
    let message = Publication::new(name(""), queue.name, "hello");
    soon(session.publish(message)).await.map_err(|error| error.to_string())?;
    soon(session.close()).await.map_err(|error| error.to_string())
}

#[tokio::test]
async fn a_session_with_any_limits_works() {
    let vhost = tavrida_rabbitmq::shared_vhost().await.unwrap();
    let usual = || config(&vhost.uri());
    for time in times() {
        let connected = works(usual().connect_timeout(time)).await;
        let hopeless = time < Duration::from_millis(2);
        assert!(connected.is_ok() || hopeless, "{time:?}: {connected:?}");
        works(usual().retry_delay(time)).await.unwrap_or_else(|error| panic!("{time:?}: {error}"));
        assert!(
            AmqpTransport::new(usual().retry_delay(time)).backoff() == usual().retry_delay(time).backoff()
        );
    }
    let numbers = [0, 1, 8, 255, u16::MAX - 1, u16::MAX];
    for number in numbers {
        works(usual().heartbeat(number)).await.unwrap_or_else(|error| panic!("heartbeat {number}: {error}"));
        if number != 1 {
            works(usual().channel_max(number))
                .await
                .unwrap_or_else(|error| panic!("{number} channels: {error}"));
        }
        let window = usize::from(number).max(1);
        works(usual().publish_window(window))
            .await
            .unwrap_or_else(|error| panic!("window {window}: {error}"));
    }
    for window in [usize::MAX / 2, usize::MAX] {
        works(usual().publish_window(window))
            .await
            .unwrap_or_else(|error| panic!("window {window}: {error}"));
    }
    for bytes in [0, 4096, 4097, 131_072, 1 << 31, u32::MAX] {
        works(usual().frame_max(bytes)).await.unwrap_or_else(|error| panic!("frames of {bytes}: {error}"));
    }
    for attempts in [None, Some(0), Some(1), Some(u32::MAX)] {
        let config = usual().connection_attempts(attempts).reconnect_attempts(attempts);
        works(config).await.unwrap_or_else(|error| panic!("{attempts:?} attempts: {error}"));
    }
}

/// Some of them connect, and some are refused by the broker or before.
#[tokio::test]
async fn any_text_for_a_name_connects_or_is_refused_with_a_reason() {
    type Setter = fn(AmqpConfig, String) -> AmqpConfig;
    let setters: [(&str, Setter); 6] = [
        ("virtual_host", |config, text| config.virtual_host(text)),
        ("username", |config, text| config.credentials(text, "guest")),
        ("password", |config, text| config.credentials("guest", text)),
        ("connection_name", |config, text| config.connection_name(text)),
        ("locale", |config, text| config.locale(text)),
        ("host", |config, text| config.or_host(text, 1)),
    ];
    let vhost = tavrida_rabbitmq::shared_vhost().await.unwrap();
    for (setter, set) in setters {
        for text in texts() {
            let shown: String = text.chars().take(20).collect();
            let outcome = works(set(config(&vhost.uri()), text.clone())).await;
            if let Err(error) = &outcome {
                assert!(!error.is_empty() && error.len() < 4096, "{setter} {shown:?}: {} bytes", error.len());
            }
            if matches!(setter, "virtual_host" | "locale") && text.len() > 255 {
                let error = outcome.as_ref().expect_err("AMQP cannot send it");
                assert!(error.contains(&format!("has {} bytes", text.len())), "{setter}: {error}");
            }
            let is_harmless = setter == "host" || (setter == "connection_name" && text.len() < 4096);
            assert!(outcome.is_ok() || !is_harmless, "{setter} {shown:?}: {outcome:?}");
        }
    }
}

/// A name that cannot be looked up, and a port that nobody listens on.
#[tokio::test]
async fn any_address_is_refused_with_its_name() {
    for text in texts() {
        let host = AmqpConfig::new(text.clone(), 1).connect_timeout(Duration::from_secs(5));
        let error = works(host).await.expect_err("no broker is there");
        assert!(error.contains("cannot connect to"), "{error}");
    }
    for port in [0, 1] {
        let error = works(AmqpConfig::new("127.0.0.1", port)).await.expect_err("no broker is there");
        assert!(error.contains(&format!("127.0.0.1:{port}")), "{error}");
    }
}

#[test]
fn limits_below_what_amqp_needs_are_refused_where_they_are_set() {
    let refused = |set: fn(AmqpConfig) -> AmqpConfig| {
        let panicked = catch_unwind(|| drop(set(AmqpConfig::new("localhost", 5672)))).expect_err("refused");
        panicked
            .downcast_ref::<String>()
            .cloned()
            .unwrap_or_else(|| (*panicked.downcast_ref::<&str>().unwrap()).to_owned())
    };
    assert!(refused(|config| config.channel_max(1)).contains("a channel_max of 1 is too small"));
    assert!(refused(|config| config.channel_max(7)).contains("needs 8"));
    assert!(refused(|config| config.frame_max(1)).contains("a frame_max of 1 is too small"));
    assert!(refused(|config| config.frame_max(4095)).contains("has 4096 bytes"));
    assert!(refused(|config| config.publish_window(0)).contains("a publish window of 0"));
}

/// Numbers near every border, as digits, and what looks like a number.
fn written_numbers() -> impl Strategy<Value = String> {
    let borders = [0_i128, 8, 255, 4096, 65_535, 65_536, 1 << 31, 1 << 32, 1 << 53, 1 << 63, 1 << 64];
    let near = (0..borders.len(), -1_i128..=1, any::<bool>());
    let near = near.prop_map(move |(border, by, minus)| {
        let number = borders[border] + by;
        (if minus { -number } else { number }).to_string()
    });
    prop_oneof![
        near,
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>().prop_map(|number| format!("{number:?}")),
        select(&ODD[..]).prop_map(str::to_owned),
    ]
}

const ODD: [&str; 7] = ["1e308", "1e400", "-1e400", "nan", "inf", "-0.0", "99999999999999999999"];

/// The settings of a connection that have a number.
const NUMBERS: [&str; 9] = [
    "port",
    "channel_max",
    "frame_max",
    "heartbeat",
    "connect_timeout",
    "connection_attempts",
    "retry_delay",
    "reconnect_attempts",
    "publish_window",
];

#[cfg(feature = "config-file")]
proptest! {
    /// A file and a variable agree, and an error names the key.
    #[test]
    fn any_number_in_a_file_or_variable_is_taken_or_refused_by_its_key(
        key in select(&NUMBERS[..]),
        number in written_numbers(),
    ) {
        use tavrida_amqp::ConfigFile;

        let in_file = ConfigFile::of_text(format!("[connection]\n{key} = {number}")).connection();
        let variable = [(format!("TAVRIDA_CONNECTION__{}", key.to_uppercase()), number.clone())];
        let in_variable = ConfigFile::of_text("").variables(variable).connection();
        for read in [&in_file, &in_variable] {
            match read {
                Ok(config) => drop(config.backoff()),
                Err(error) => prop_assert!(error.to_string().contains(key) || number.parse::<i64>().is_err(), "{error}"),
            }
        }
        // The file refuses what TOML does not know as a number.
        if let Ok(config) = in_file {
            prop_assert_eq!(in_variable.ok(), Some(config));
        }
    }

    #[test]
    fn any_limit_of_a_server_in_a_file_is_taken_or_refused_by_its_key(
        key in select(&["prefetch", "concurrency"][..]),
        number in written_numbers(),
    ) {
        use tavrida_amqp::ConfigFile;

        let text = format!("[server]\nqueue = \"q\"\nexchange = \"e\"\n{key} = {number}");
        match ConfigFile::of_text(text).server() {
            Ok(server) => {
                let work = tavrida::Service::new("work").rpc("do", || async {});
                let built = server.builder([work]).map(|builder| builder.build().map(drop));
                prop_assert!(matches!(built, Ok(Ok(()))), "{key} = {number}: {built:?}");
            }
            Err(error) => prop_assert!(error.to_string().contains(key) || number.parse::<i64>().is_err(), "{error}"),
        }
    }
}

proptest! {
    #[test]
    fn any_number_in_a_uri_is_taken_or_refused_by_its_key(
        key in select(&NUMBERS[1..]),
        number in written_numbers(),
    ) {
        let key = if key == "connect_timeout" { "connection_timeout" } else { key };
        match AmqpConfig::from_uri(&format!("amqp://localhost?{key}={number}")) {
            Ok(config) => drop(config.backoff()),
            Err(error) => prop_assert!(error.to_string().contains(key), "{error}"),
        }
    }
}
