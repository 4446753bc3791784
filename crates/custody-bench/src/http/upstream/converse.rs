//! What Bedrock sends: the dialect's writer makes its frames, whose bytes AWS's own clients read.

use custody_dialect::{
    ChatAnswer, ConverseUsage, Delta, FinishReason, RawUsage,
    converse::{EVENT_STREAM, EventWriter, render_answer},
};
use custody_types::SensitiveText;

use super::{Script, WORD, WORDS, chunk, stream_head, text, whole};

const LATENCY_MS: u64 = 100;

pub fn script() -> Script {
    let counts = ConverseUsage { input_tokens: Some(42), output_tokens: Some(50), total_tokens: Some(92), ..ConverseUsage::default() };
    let usage = RawUsage { converse: Some(counts), ..RawUsage::default() };
    let (text, finish) = (Some(SensitiveText::new(text())), Some(FinishReason::Stop));
    let answer = ChatAnswer { text, finish, usage: Some(usage), ..ChatAnswer::default() };
    let mut writer = EventWriter::new();
    let opening = frames(|out| writer.delta(&Delta::default(), out));
    let mut stream = vec![[stream_head(EVENT_STREAM), opening].concat()];
    let word = Delta { text: Some(SensitiveText::new(format!("{WORD} "))), ..Delta::default() };
    stream.extend((0..WORDS).map(|_| frames(|out| writer.delta(&word, out))));
    stream.push(frames(|out| writer.stop(FinishReason::Stop, out)));
    let usage = frames(|out| writer.metadata(&answer, LATENCY_MS, out));
    Script { plain: whole(&render_answer(&answer, LATENCY_MS)), stream, usage, end: b"0\r\n\r\n".to_vec() }
}

fn frames(mut write: impl FnMut(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out);
    chunk(&out)
}
