//! What an OpenAI-compatible server sends.

use super::{Script, WORD, WORDS, chunk, stream_head, text, whole};

const USAGE: &str = r#"{"prompt_tokens":42,"completion_tokens":50,"total_tokens":92}"#;

pub fn script() -> Script {
    let body = format!(
        r#"{{"id":"chatcmpl-1","object":"chat.completion","created":1760000000,"model":"bench-model","choices":[{{"index":0,"message":{{"role":"assistant","content":"{}"}},"finish_reason":"stop"}}],"usage":{USAGE}}}"#,
        text()
    );
    let mut stream = vec![[stream_head("text/event-stream"), event(r#"{"role":"assistant","content":""}"#, "null")].concat()];
    stream.extend((0..WORDS).map(|_| event(&format!(r#"{{"content":"{WORD} "}}"#), "null")));
    stream.push(event("{}", r#""stop""#));
    let usage = format!(
        "data: {{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1760000000,\"model\":\"bench-model\",\"choices\":[],\"usage\":{USAGE}}}\n\n"
    );
    let end = [chunk(b"data: [DONE]\n\n"), b"0\r\n\r\n".to_vec()].concat();
    Script { plain: whole(body.as_bytes()), stream, usage: chunk(usage.as_bytes()), end }
}

fn event(delta: &str, finish: &str) -> Vec<u8> {
    let event = format!(
        "data: {{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1760000000,\"model\":\"bench-model\",\"choices\":[{{\"index\":0,\"delta\":{delta},\"finish_reason\":{finish}}}]}}\n\n"
    );
    chunk(event.as_bytes())
}
