//! Notices reach real sockets and files, say five facts, and go nowhere without TLS.

use std::collections::BTreeSet;
use std::sync::Arc;

use base64ct::{Base64, Encoding};
use rcgen::{CertificateParams, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use symbolon_store::NoticeId;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::*;

fn config() -> Config {
    Config::new("127.0.0.1:1".parse().unwrap(), None)
}

fn notifier(directory: &Path, config: &Config) -> Notifier {
    Notifier::new(directory, config).unwrap()
}

fn due(target: Target) -> NoticeDue {
    let line = NoticeLine {
        rule: "ports \"east\"\n".to_owned(),
        alert: "01900000-0000-7000-8000-000000000001".to_owned(),
        class: "flash".to_owned(),
        exercise: false,
        at: 1_700_000_000,
    };
    NoticeDue { id: NoticeId::generate(1, [1; 32]), target, line }
}

fn check_body(text: &str) {
    let body: serde_json::Value = serde_json::from_str(text).unwrap();
    let facts: BTreeSet<&str> = body.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(facts, BTreeSet::from(["alert", "class", "exercise", "rule", "time"]));
    assert_eq!((&body["class"], &body["time"]), (&json!("flash"), &json!("2023-11-14T22:13:20Z")));
    assert_eq!(body["rule"], "ports \"east\"\n");
}

/// Answers one request with this status; gives what was asked.
async fn answer<S: AsyncReadExt + AsyncWriteExt + Unpin>(mut stream: S, status: &str) -> String {
    let mut text = String::new();
    while !text.ends_with('}') {
        let mut part = [0; 4_096];
        let count = stream.read(&mut part).await.unwrap();
        assert!(count > 0, "the request ends early");
        text.push_str(std::str::from_utf8(&part[..count]).unwrap());
    }
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let _ = stream.shutdown().await;
    text
}

fn pem(der: &[u8]) -> String {
    let text = Base64::encode_string(der);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

async fn accept(listener: &TcpListener) -> TcpStream {
    listener.accept().await.unwrap().0
}

#[tokio::test]
async fn a_webhook_is_told_five_facts_and_says_yes_or_no() {
    let directory = tempfile::tempdir().unwrap();
    for (status, is_taken) in [("204 No Content", true), ("500 No", false), ("302 Found", false)] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let hosts = vec![format!("127.0.0.1:{port}")];
        let notifier = notifier(directory.path(), &Config { notice_hosts: hosts, ..config() });
        let target = Target::Webhook(format!("http://127.0.0.1:{port}/in?from=node"));
        let due = due(target);
        let (sent, asked) = tokio::join!(notifier.send(&due), async {
            answer(accept(&listener).await, status).await
        });
        assert_eq!(sent.is_ok(), is_taken, "{status}: {sent:?}");
        let (head, body) = asked.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("POST /in?from=node HTTP/1.1\r\n"), "{head}");
        assert!(head.to_lowercase().contains(&format!("host: 127.0.0.1:{port}")), "{head}");
        check_body(body);
    }
    let hosts = ["127.0.0.1:1", "192.0.2.1"].map(str::to_owned).to_vec();
    let notifier = notifier(directory.path(), &Config { notice_hosts: hosts, ..config() });
    let nobody = notifier.send(&due(Target::Webhook("http://127.0.0.1:1/x".to_owned()))).await;
    assert!(matches!(nobody, Err(NotifyError::Unreachable)));
    // An address of documentation (RFC 5737): it is refused before anything is sent.
    let elsewhere = Target::Webhook("http://192.0.2.1/x".to_owned());
    assert!(matches!(notifier.send(&due(elsewhere)).await, Err(NotifyError::NotHere)));
}

#[tokio::test]
async fn a_webhook_at_a_host_that_nobody_named_is_not_called() {
    let directory = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let target = || Target::Webhook(format!("http://127.0.0.1:{port}/x"));
    for hosts in [vec![], vec!["127.0.0.1".to_owned()], vec![format!("127.0.0.1:{port}0")]] {
        let notifier = notifier(directory.path(), &Config { notice_hosts: hosts, ..config() });
        assert!(matches!(notifier.send(&due(target())).await, Err(NotifyError::Unnamed)));
    }
    let nobody = std::future::poll_fn(|context| match listener.poll_accept(context) {
        std::task::Poll::Ready(_) => std::task::Poll::Ready(false),
        std::task::Poll::Pending => std::task::Poll::Ready(true),
    });
    assert!(nobody.await, "somebody called");
}

#[tokio::test]
async fn a_webhook_with_tls_must_have_a_trusted_certificate() {
    let directory = tempfile::tempdir().unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    std::fs::write(directory.path().join("roots.pem"), pem(certificate.der())).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let private = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let tls = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(tls));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let target = || Target::Webhook(format!("https://localhost:{port}/x"));

    let hosts = vec![format!("localhost:{port}")];
    let strange = Config { notice_hosts: hosts, ..config() };
    let trusting = Config { notice_roots_file: Some("roots.pem".into()), ..strange.clone() };
    let trusting = notifier(directory.path(), &trusting);
    let served = async {
        let stream = acceptor.accept(accept(&listener).await).await.unwrap();
        answer(stream, "200 OK").await
    };
    let one = due(target());
    let (sent, asked) = tokio::join!(trusting.send(&one), served);
    sent.unwrap();
    check_body(asked.split_once("\r\n\r\n").unwrap().1);

    // The roots of the system do not lead to it.
    let strange = notifier(directory.path(), &strange);
    let served = async { acceptor.accept(accept(&listener).await).await.is_err() };
    let one = due(target());
    let (sent, is_refused) = tokio::join!(strange.send(&one), served);
    assert!(matches!(sent, Err(NotifyError::Tls)) && is_refused);
}

#[tokio::test]
async fn the_system_log_gets_one_line_of_rfc_5424() {
    let directory = tempfile::tempdir().unwrap();
    let socket = UnixDatagram::bind(directory.path().join("log")).unwrap();
    let config = Config { notice_syslog_socket: Some("log".into()), ..config() };
    notifier(directory.path(), &config).send(&due(Target::Syslog)).await.unwrap();
    let mut line = vec![0; 4_096];
    let count = socket.recv(&mut line).await.unwrap();
    let line = std::str::from_utf8(&line[..count]).unwrap();
    let process = std::process::id();
    let head = format!("<129>1 2023-11-14T22:13:20Z - symbolon {process} notice - ");
    check_body(line.strip_prefix(&head).unwrap());
    assert!(!line.contains('\n'));
}

#[tokio::test]
async fn the_file_gets_one_line_each() {
    let directory = tempfile::tempdir().unwrap();
    let config = Config { notice_lines_file: Some("notices.jsonl".into()), ..config() };
    let notifier = notifier(directory.path(), &config);
    for _ in 0..2 {
        notifier.send(&due(Target::Lines)).await.unwrap();
    }
    let text = std::fs::read_to_string(directory.path().join("notices.jsonl")).unwrap();
    assert_eq!(text.lines().count(), 2);
    text.lines().for_each(check_body);
}

#[tokio::test]
async fn a_target_that_is_not_configured_says_what_to_set() {
    let directory = tempfile::tempdir().unwrap();
    let notifier = notifier(directory.path(), &config());
    for (target, key) in
        [(Target::Syslog, "notice_syslog_socket"), (Target::Lines, "notice_lines_file")]
    {
        let error = notifier.send(&due(target)).await.unwrap_err();
        assert!(error.to_string().contains(key), "{error}");
    }
    let missing = Config { notice_roots_file: Some("none.pem".into()), ..config() };
    assert!(Notifier::new(directory.path(), &missing).is_err());
}
