//! What is kept reads as it was said.

use custody_dialect::{Role, openai};
use custody_types::SensitiveText;

use super::*;

fn text(plain: &PlainText) -> String {
    String::from_utf8(plain.bytes.expose().to_vec()).unwrap()
}

#[test]
fn a_prompt_reads_in_sections_and_names_what_is_no_text() {
    let body = br#"{"model":"m","messages":[
        {"role":"user","content":[{"type":"text","text":"Look at this:"},{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}}]},
        {"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"look_up","arguments":"{}"}}]},
        {"role":"tool","tool_call_id":"c1","content":"parcel 7"}],
        "tools":[{"type":"function","function":{"name":"look_up","parameters":{"type":"object"}}}]}"#;
    let mut chat = openai::parse_chat_request(body, &openai::Limits::default()).unwrap();
    chat.prepend([Message::text(Role::System, SensitiveText::new("You help."))]);
    let read = text(&prompt_text(&chat));
    let sections: Vec<&str> = read.lines().filter(|line| line.starts_with('[') && line.ends_with(']') && !line.contains('{')).collect();
    assert_eq!(sections, ["[system]", "[user]", "[assistant]", "[tool_calls]", "[tool]", "[tools]"]);
    assert!(read.starts_with("[system]\nYou help.\n\n[user]\nLook at this:\n(image, "), "{read}");
    assert!(!read.contains("iVBORw0KGgo") && read.contains("[tool]\nparcel 7\n"), "{read}");
}

#[test]
fn many_tool_calls_share_the_last_text() {
    let call = |number: usize| ToolCall {
        id: SensitiveText::new("id"),
        name: SensitiveText::new("f"),
        arguments: SensitiveText::new(format!("{{\"n\":{number}}}")),
    };
    for (calls, expected) in [(1, 1), (64, 64), (65, 64), (500, 64)] {
        let all: Vec<ToolCall> = (0..calls).map(call).collect();
        let texts: Vec<PlainText> = tool_texts(&all).collect();
        assert_eq!(texts.len(), expected);
        assert_eq!(texts.iter().map(text).collect::<String>().matches("\"n\"").count(), calls, "none is lost");
        assert!(texts.iter().zip(0..).all(|(text, place)| text.ordinal == place));
    }
}
