//! A Windows event as XML: what Event Viewer exports and Sysmon for Linux writes to syslog.

use garrison_base::{Fields, Value, limits};
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

/// Whether the text begins with an `<Event>` element.
pub(crate) fn is_event(text: &str) -> bool {
    text.strip_prefix("<Event").is_some_and(|rest| rest.starts_with(['>', ' ', '\t', '\r', '\n']))
}

/// Reads one `<Event>` into dotted names, as [`crate::json`] would read its JSON form. `None` if the text
/// is not one well-formed event.
pub(crate) fn flatten(text: &str) -> Option<Fields<'static>> {
    let mut reader = Reader::from_str(text);
    let mut fields = Fields::with_capacity(48);
    let mut path: Vec<String> = Vec::new();
    let mut content = String::new();
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                open(&start, &mut path, &mut fields)?;
                content.clear();
            }
            Event::Empty(start) => {
                open(&start, &mut path, &mut fields)?;
                close(&mut path, "", &mut fields)?;
            }
            Event::Text(text) => content.push_str(&text.xml10_content()),
            Event::CData(data) => content.push_str(&data.xml10_content()),
            Event::GeneralRef(name) => match name.resolve_char_ref().ok()? {
                Some(char) => content.push(char),
                None => {
                    content.push_str(resolve_predefined_entity(&name.xml10_content())?);
                }
            },
            Event::End(_) => {
                close(&mut path, &content, &mut fields)?;
                content.clear();
                if path.is_empty() {
                    return (!fields.is_empty()).then_some(fields);
                }
            }
            Event::Eof => return None,
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
}

fn open(start: &BytesStart<'_>, path: &mut Vec<String>, fields: &mut Fields<'static>) -> Option<()> {
    let name = start.local_name();
    if path.len() >= limits::DEPTH || name.as_ref().len() > limits::NAME_BYTES {
        return None;
    }
    path.push(name.as_ref().to_owned());
    for attribute in start.attributes() {
        let attribute = attribute.ok()?;
        let name = attribute.key.local_name().into_inner();
        if attribute.key.as_namespace_binding().is_none() && !fields.is_full() {
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).ok()?.into_owned();
            fields.push(format!("{}.#attributes.{name}", path.join(".")), value);
        }
    }
    Some(())
}

fn close(path: &mut Vec<String>, content: &str, fields: &mut Fields<'static>) -> Option<()> {
    let inside = path.join(".");
    let data = inside == "Event.EventData.Data";
    // An empty element of the head says nothing; an empty datum is an empty value.
    if data || !content.trim().is_empty() {
        let name = if data { "Event.EventData.Data.#text".to_owned() } else { inside };
        fields.push(name, Value::from(content.to_owned()));
    }
    path.pop().map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = r#"<Event xmlns="http://x"><System><Provider Name="Linux-Sysmon" Guid="{ff}"/><EventID>1</EventID><TimeCreated SystemTime="2026-11-22T10:00:00Z"/><Channel>Linux-Sysmon/Operational</Channel><Computer>web-1</Computer></System><EventData><Data Name="Image">/usr/bin/curl</Data><Data Name="CommandLine">curl &quot;a&amp;b&quot;</Data><Data Name="User"></Data></EventData></Event>"#;

    #[test]
    fn an_event_is_read() {
        let fields = flatten(EVENT).unwrap();
        let fields = crate::windows::normalise(fields, crate::windows::Shape::Xml);
        assert_eq!(fields.text("Provider_Name"), Some("Linux-Sysmon"));
        assert_eq!(fields.text("Image"), Some("/usr/bin/curl"));
        assert_eq!(fields.text("CommandLine"), Some("curl \"a&b\""));
        assert_eq!(fields.text("User"), Some(""));
        assert_eq!(fields.text("TimeCreated"), Some("2026-11-22T10:00:00Z"));
    }

    #[test]
    fn broken_events_are_none() {
        for end in 1..EVENT.len() {
            assert!(flatten(&EVENT[..end]).is_none(), "{end}");
        }
        assert!(flatten(&"<a>".repeat(100_000)).is_none());
        assert!(flatten("<Event>&lol;</Event>").is_none(), "no entities but the five of XML");
    }
}
