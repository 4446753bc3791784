//! As much of HTTP/1.1 as the load and the upstream need. Neither pipelines, so one message is in a buffer at a time.

mod body;

pub use body::BodyReader;

/// Place of the first occurrence.
pub fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    let first = needle.first()?;
    let mut from = 0;
    loop {
        let rest = haystack.get(from..)?;
        let place = from + rest.iter().position(|byte| byte == first)?;
        if haystack.get(place..)?.starts_with(needle) {
            return Some(place);
        }
        from = place + 1;
    }
}

/// The last bytes, at most `length` of them.
pub fn tail(bytes: &[u8], length: usize) -> &[u8] {
    bytes.get(bytes.len().saturating_sub(length)..).unwrap_or_default()
}

/// Length of the head, its blank line included.
pub fn head_length(received: &[u8]) -> Option<usize> {
    find(received, b"\r\n\r\n").map(|place| place + 4)
}

/// How the end of a message's body is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    Bytes(usize),
    Chunked,
}

/// Reads a head.
pub fn body_of(head: &[u8]) -> Body {
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")).and_then(|length| length.trim().parse().ok());
    match length {
        Some(length) => Body::Bytes(length),
        None if head.contains("transfer-encoding: chunked") => Body::Chunked,
        None => Body::Bytes(0),
    }
}

/// Length of the whole request, when all of it is there.
pub fn message_length(received: &[u8]) -> Option<usize> {
    let head = head_length(received)?;
    match body_of(received.get(..head)?) {
        Body::Bytes(length) => (received.len() >= head + length).then_some(head + length),
        Body::Chunked => {
            let body = received.get(head..)?;
            (body.ends_with(b"\r\n0\r\n\r\n") || body == b"0\r\n\r\n").then_some(received.len())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_whole_when_its_body_is() {
        let message = b"POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\nabcd";
        assert_eq!(message_length(message), Some(message.len()));
        assert_eq!(message_length(&message[..message.len() - 1]), None);
        let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n";
        assert_eq!(message_length(chunked), Some(chunked.len()));
        assert_eq!(message_length(&chunked[..chunked.len() - 2]), None);
        assert_eq!(find(b"aab", b"ab"), Some(1));
        assert_eq!((tail(b"abc", 2), tail(b"abc", 9)), (&b"bc"[..], &b"abc"[..]));
    }
}
