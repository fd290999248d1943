//! The client against a stand-in that answers as it is told.

use crate::routing::frr::vty::Vty;
use std::io;
use std::path::Path;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

/// Reads commands up to the `count`-th.
async fn commands(stream: &mut UnixStream, count: usize) -> Vec<String> {
    let mut read = Vec::new();
    while read.iter().filter(|byte| **byte == 0).count() < count {
        if stream.read_buf(&mut read).await.unwrap() == 0 {
            break;
        }
    }
    String::from_utf8(read).unwrap().split_terminator('\0').map(str::to_owned).collect()
}

/// Takes a connection as FRR does: the first command is `enable`.
async fn accept(listener: &UnixListener) -> UnixStream {
    let (mut stream, _) = listener.accept().await.unwrap();
    assert_eq!(commands(&mut stream, 1).await, ["enable"]);
    stream.write_all(&[0; 4]).await.unwrap();
    stream
}

fn listen(directory: &Path) -> UnixListener {
    let path = directory.join("bgpd.vty");
    let _ = std::fs::remove_file(&path);
    UnixListener::bind(path).unwrap()
}

#[tokio::test]
async fn answers_are_told_apart_however_they_arrive() {
    let directory = tempfile::tempdir().unwrap();
    let listener = listen(directory.path());
    let mut vty = Vty::new(directory.path(), "bgpd");
    let daemon = async {
        let mut stream = accept(&listener).await;
        assert_eq!(commands(&mut stream, 3).await, ["one", "two", "three"]);
        for piece in [b"fir".as_slice(), b"st\0\0", b"\0", b"\0no\0\0\0\x0d\0\0", b"\0\0"] {
            stream.write_all(piece).await.unwrap();
            stream.flush().await.unwrap();
            tokio::task::yield_now().await;
        }
        stream
    };
    let lines = ["one", "two", "three"].map(str::to_owned);
    let (answers, _stream) = tokio::join!(vty.send(&lines), daemon);
    let said: Vec<_> = answers.unwrap().into_iter().map(|answer| (answer.code, answer.text)).collect();
    assert_eq!(said, [(0, "first".to_owned()), (13, "no".to_owned()), (0, String::new())]);
}

#[tokio::test]
async fn a_question_goes_on_to_the_new_process_and_counts_it() {
    let directory = tempfile::tempdir().unwrap();
    let first = listen(directory.path());
    let mut vty = Vty::new(directory.path(), "bgpd");
    let answering = async |listener: &UnixListener| {
        let mut stream = accept(listener).await;
        commands(&mut stream, 1).await;
        stream.write_all(b"8.4.4\0\0\0\0").await.unwrap();
        stream
    };
    let (answer, stream) = tokio::join!(vty.ask("show version"), answering(&first));
    assert_eq!((answer.unwrap().text.as_str(), vty.restarts()), ("8.4.4", 0));
    drop((stream, first));
    let second = listen(directory.path());
    let (answer, _stream) = tokio::join!(vty.ask("show version"), answering(&second));
    assert_eq!((answer.unwrap().text.as_str(), vty.restarts()), ("8.4.4", 1));
}

/// An answer that nobody waited for must not become the answer to the next question.
#[tokio::test]
async fn a_dropped_question_takes_its_connection_along() {
    let directory = tempfile::tempdir().unwrap();
    let listener = listen(directory.path());
    let mut vty = Vty::new(directory.path(), "bgpd");
    let mut stream = tokio::select! {
        _ = vty.ask("slow") => panic!("nobody answered"),
        stream = async { let mut stream = accept(&listener).await; commands(&mut stream, 1).await; stream } => stream,
    };
    let late = stream.write_all(b"late\0\0\0\0");
    let daemon = async {
        let mut stream = accept(&listener).await;
        assert_eq!(commands(&mut stream, 1).await, ["quick"]);
        stream.write_all(b"right\0\0\0\0").await.unwrap();
        stream
    };
    let (_, answer, _stream) = tokio::join!(late, vty.ask("quick"), daemon);
    assert_eq!((answer.unwrap().text.as_str(), vty.restarts()), ("right", 0));
}

#[tokio::test]
async fn errors_name_the_socket_and_the_remedy() {
    let directory = tempfile::tempdir().unwrap();
    let mut vty = Vty::new(directory.path(), "bgpd");
    let error = vty.ask("show version").await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
    assert!(error.to_string().contains("bgpd.vty") && error.to_string().contains("running?"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn silence_ends_and_is_no_restart() {
    let directory = tempfile::tempdir().unwrap();
    let listener = listen(directory.path());
    let mut vty = Vty::new(directory.path(), "bgpd");
    let silent = async {
        let stream = accept(&listener).await;
        tokio::time::sleep(Duration::from_secs(60)).await;
        stream
    };
    let error = tokio::select! {
        error = vty.ask("show version") => error.unwrap_err(),
        _ = silent => panic!("it waits for ever"),
    };
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
}
