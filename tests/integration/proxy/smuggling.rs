//! Requests that two hops could read differently.

use super::client::{Raw, raw, status};
use super::endpoint::{Endpoint, head};
use super::stage::{Stage, backend, http, play, vip};
use std::sync::Arc;
use std::sync::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Keeps every byte that it gets, and answers each connection once.
async fn recorder() -> (Endpoint, Arc<Mutex<Vec<u8>>>) {
    let heard = Arc::<Mutex<Vec<u8>>>::default();
    let record = Arc::clone(&heard);
    let endpoint = Endpoint::raw(move |mut stream| {
        let record = Arc::clone(&record);
        async move {
            let mut buffer = [0; 4096];
            let mut answered = false;
            while let Ok(count @ 1..) = stream.read(&mut buffer).await {
                record.lock().unwrap().extend_from_slice(&buffer[..count]);
                if !std::mem::replace(&mut answered, true) {
                    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
                }
            }
        }
    })
    .await;
    (endpoint, heard)
}

#[test]
fn what_is_ambiguous_never_reaches_an_endpoint() {
    play("ambiguous", async |stage: &mut Stage| {
        let (endpoint, heard) = recorder().await;
        stage.serve(&http(backend(&[endpoint.address]))).await;
        let host = "Host: a.example\r\n";
        let table = [
            ("GET / HTTP/1.1\r\n\r\n".to_owned(), "400"),
            (format!("GET / HTTP/1.1\r\n{host}Host: b.example\r\n\r\n"), "400"),
            (format!("GET / HTTP/1.1\r\n{host}{host}\r\n"), "400"),
            ("GET / HTTP/1.1\r\nHost: a@b\r\n\r\n".to_owned(), "400"),
            ("GET / HTTP/1.1\r\nHost: a, b\r\n\r\n".to_owned(), "400"),
            (format!("GET / HTTP/1.1\r\n{host}X: 1\r\n folded\r\n\r\n"), "400"),
            (format!("GET / HTTP/1.1\r\n{host}X : 1\r\n\r\n"), "400"),
            (format!("GET /../etc HTTP/1.1\r\n{host}\r\n"), "400"),
            (format!("CONNECT a.example:443 HTTP/1.1\r\n{host}\r\n"), "405"),
            (format!("TRACE / HTTP/1.1\r\n{host}\r\n"), "405"),
            (format!("OPTIONS * HTTP/1.1\r\n{host}Connection: close\r\n\r\n"), "204"),
            (format!("POST / HTTP/1.1\r\n{host}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"), "400"),
            (format!("POST / HTTP/1.1\r\n{host}Content-Length: +1\r\n\r\na"), "400"),
            (format!("POST / HTTP/1.1\r\n{host}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"), "501"),
            (format!("POST / HTTP/1.1\r\n{host}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"), "400"),
            (format!("POST / HTTP/1.0\r\n{host}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), "400"),
            (format!("GET / HTTP/1.1\r\n{host}{}\r\n", "X: y\r\n".repeat(128)), "431"),
            (format!("GET /{} HTTP/1.1\r\n{host}Connection: close\r\n\r\n", "a".repeat(20_000)), "414"),
        ];
        for (request, expected) in table {
            let answer = raw(vip(), &request).await.unwrap();
            assert_eq!(status(&answer), expected, "{request:?}: {answer:?}");
        }
        assert_eq!(*heard.lock().unwrap(), b"", "no endpoint has heard anything");
    });
}

/// RFC 9112 §6.3: the one request is forwarded by its chunks, without the length, and nothing after it is
/// believed.
#[test]
fn of_a_length_and_chunks_only_the_chunks_are_believed() {
    for (name, fields) in [
        ("cl-te", "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n"),
        ("te-cl", "Transfer-Encoding: chunked\r\nContent-Length: 6\r\n"),
    ] {
        play(name, async |stage: &mut Stage| {
            let (endpoint, heard) = recorder().await;
            stage.serve(&http(backend(&[endpoint.address]))).await;
            let request = format!(
                "POST / HTTP/1.1\r\nHost: a.example\r\n{fields}\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a.example\r\n\r\n"
            );
            let answer = raw(vip(), &request).await.unwrap();
            assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "one answer, then the end: {answer:?}");
            let heard = String::from_utf8(heard.lock().unwrap().clone()).unwrap();
            assert!(heard.contains("transfer-encoding: chunked"), "{heard}");
            assert!(!heard.contains("content-length") && !heard.contains("smuggled"), "{heard}");
        });
    }
}

/// Bytes that an endpoint sends beyond its answer are nobody's answer.
#[test]
fn what_an_endpoint_says_unasked_is_not_passed_on() {
    play("unasked", async |stage: &mut Stage| {
        let endpoint = Endpoint::raw(async |mut stream| {
            while !head(&mut stream).await.is_empty() {
                let twice = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\noneHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ntwo";
                stream.write_all(twice.as_bytes()).await.unwrap();
            }
        })
        .await;
        stage.serve(&http(backend(&[endpoint.address]))).await;
        let mut client = Raw::to(vip()).await;
        for _ in 0..20 {
            let (head, body) = client.say("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n").await.response().await;
            assert_eq!((status(&head), body.as_str()), ("200", "one"));
        }
    });
}

#[test]
fn a_target_with_an_authority_decides_the_host() {
    play("absolute", async |stage: &mut Stage| {
        let endpoint = Endpoint::echo("a").await;
        stage.serve(&http(backend(&[endpoint.address]))).await;
        let request =
            "GET http://real.example/x HTTP/1.1\r\nHost: spoofed.example\r\nConnection: close\r\n\r\n";
        let answer = raw(vip(), request).await.unwrap();
        assert!(answer.contains("GET /x HTTP/1.1\nhost: real.example\n"), "{answer}");
        assert!(!answer.contains("spoofed"), "{answer}");
        let old = raw(vip(), "GET /%61/./b/../c HTTP/1.0\r\n\r\n").await.unwrap();
        assert!(old.contains("GET /a/c HTTP/1.1\n") && old.contains("host: 10.200.0.20:80\n"), "{old}");
    });
}
