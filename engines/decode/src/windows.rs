//! Windows events in the shapes that exporters give them, brought to the names of Event Viewer.
//!
//! Rules name fields as the event's XML does: `EventID`, `Channel`, `Computer`, and the names under
//! `EventData` or `UserData`. JSON exporters wrap them differently:
//!
//! | exporter | shape |
//! |---|---|
//! | `evtx_dump` and the XML itself | `Event.System.EventID`, `Event.EventData.Image` |
//! | Winlogbeat 7 and later | `winlog.event_id`, `winlog.event_data.Image` |
//! | Winlogbeat 6 | `event_id`, `log_name`, `event_data.Image` |
//! | Wazuh | `win.system.eventID`, `win.eventdata.image` |
//! | Splunk, `Get-WinEvent` | flat, with `EventCode` or `Id`, `LogName`, `MachineName` |
//! | `NXLog` and others | flat already |

use std::borrow::Cow;

use garrison_base::{Fields, Value};

/// How the fields of an event are wrapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Flat,
    Xml,
    Winlogbeat,
    OldWinlogbeat,
    Wazuh,
    Renamed,
}

/// Recognises a Windows event by the names of its fields.
pub(crate) fn shape(fields: &Fields<'_>) -> Option<Shape> {
    let (mut channel, mut event_id, mut log_name) = (false, false, false);
    for (name, _) in fields.iter() {
        match name {
            "Event.System" | "System.EventID" | "System.Provider" => return Some(Shape::Xml),
            "winlog.event_id" | "winlog.channel" => return Some(Shape::Winlogbeat),
            "win.system" | "data.win.system" => return Some(Shape::Wazuh),
            "Channel" | "Provider_Name" | "SourceName" => channel = true,
            "EventID" => event_id = true,
            "log_name" => log_name = true,
            "event_id" if log_name => return Some(Shape::OldWinlogbeat),
            _ => {}
        }
    }
    if log_name && fields.has("event_id") {
        return Some(Shape::OldWinlogbeat);
    }
    if channel && event_id {
        return Some(Shape::Flat);
    }
    let renamed = fields.has("LogName")
        && (fields.has("EventCode") || (fields.has("Id") && fields.has("ProviderName")));
    renamed.then_some(Shape::Renamed)
}

/// Renames the fields of an event to those that rules use.
pub(crate) fn normalise(fields: Fields<'_>, shape: Shape) -> Fields<'_> {
    let mut pending = None;
    let renamed = fields.rewrite(|name, value| match shape {
        Shape::Flat => Some((name, value)),
        Shape::Xml => xml_name(name, value, &mut pending),
        Shape::Winlogbeat => {
            let name =
                rename(&name, "winlog.", &["event_data.", "user_data."], beat_name).map_or(name, Cow::Owned);
            Some((name, value))
        }
        Shape::OldWinlogbeat => {
            let name = rename(&name, "", &["event_data.", "user_data."], beat_name).map_or(name, Cow::Owned);
            Some((name, value))
        }
        Shape::Wazuh => {
            let inner = name.strip_prefix("data.").unwrap_or(&name);
            let renamed = inner
                .strip_prefix("win.eventdata.")
                .or_else(|| inner.strip_prefix("win.system."))
                .map(|own| {
                    own.strip_prefix("providerName")
                        .map_or_else(|| capital(own), |_| "Provider_Name".to_owned())
                });
            // Wazuh escapes backslashes twice.
            let value = match value {
                Value::Text(text) if text.contains(r"\\") => Value::from(text.replace(r"\\", r"\")),
                value => value,
            };
            Some((renamed.map_or(name, Cow::Owned), value))
        }
        Shape::Renamed => {
            let renamed = match name.as_ref() {
                "EventCode" | "Id" => "EventID",
                "LogName" => "Channel",
                "ComputerName" | "MachineName" => "Computer",
                "SourceName" | "ProviderName" => "Provider_Name",
                _ => return Some((name, value)),
            };
            Some((Cow::Borrowed(renamed), value))
        }
    });
    derive(renamed)
}

/// Adds what rules name and exporters spell otherwise: field names without their blanks, and the hashes
/// that Sysmon joins in one field.
fn derive(mut fields: Fields<'_>) -> Fields<'_> {
    let mut more: Vec<(String, String)> = Vec::new();
    for (name, value) in fields.iter() {
        if name.contains(' ') {
            more.push((name.replace(' ', ""), value.to_text()));
        }
        if let (true, Value::Text(hashes)) = (name == "Hashes" || name == "Hash", value) {
            for (kind, hash) in hashes.split(',').filter_map(|pair| pair.split_once('=')) {
                let kind = if kind == "IMPHASH" { "Imphash".to_owned() } else { kind.to_ascii_lowercase() };
                more.push((kind, hash.to_owned()));
            }
        }
    }
    for (name, value) in more {
        fields.push(name, value);
    }
    fields
}

/// A name of the event's XML. `pending` holds the name of a `Data` element whose text follows.
fn xml_name<'a>(
    name: Cow<'a, str>,
    value: Value<'a>,
    pending: &mut Option<String>,
) -> Option<(Cow<'a, str>, Value<'a>)> {
    if value == Value::Nested {
        return None;
    }
    let inner = name.strip_prefix("Event.").unwrap_or(&name);
    if let Some(own) = inner.strip_prefix("System.") {
        return system_name(own).map(|own| (Cow::Owned(own), value));
    }
    let Some(own) = inner.strip_prefix("EventData.") else {
        if let Some((_element, own)) = inner.strip_prefix("UserData.").and_then(|own| own.split_once('.')) {
            return (!own.contains("xmlns")).then(|| (Cow::Owned(own.to_owned()), value));
        }
        let wrapper =
            matches!(inner, "System" | "EventData" | "UserData" | "Event") || inner.contains("#attributes");
        return (!wrapper).then_some((name, value));
    };
    match own {
        "Data.#attributes.Name" | "Data.@Name" | "Data.Name" => {
            *pending = Some(value.to_text());
            None
        }
        "Data.#text" | "Data.text" | "Data.content" => {
            Some((pending.take().map_or(Cow::Borrowed("Data"), Cow::Owned), value))
        }
        own => Some((Cow::Owned(own.to_owned()), value)),
    }
}

fn system_name(own: &str) -> Option<String> {
    Some(match own {
        "EventID.#text" => "EventID".to_owned(),
        "TimeCreated.#attributes.SystemTime" | "TimeCreated.@SystemTime" => "TimeCreated".to_owned(),
        _ => {
            let own = own.replace(".#attributes.", "_").replace(".@", "_");
            if own.contains('#')
                || matches!(
                    own.as_str(),
                    "Provider" | "TimeCreated" | "Execution" | "Security" | "Correlation"
                )
            {
                return None;
            }
            own
        }
    })
}

fn rename(name: &str, prefix: &str, data: &[&str], own: fn(&str) -> Option<&'static str>) -> Option<String> {
    let inner = name.strip_prefix(prefix)?;
    let field = data.iter().find_map(|data| inner.strip_prefix(data)).filter(|field| !field.is_empty());
    field.or_else(|| own(inner)).map(str::to_owned)
}

fn beat_name(own: &str) -> Option<&'static str> {
    Some(match own {
        "channel" | "log_name" => "Channel",
        "event_id" => "EventID",
        "provider_name" | "source_name" => "Provider_Name",
        "computer_name" => "Computer",
        "process.pid" | "process_id" => "Execution_ProcessID",
        _ => return None,
    })
}

fn capital(name: &str) -> String {
    if name == "eventID" {
        return "EventID".to_owned();
    }
    let mut chars = name.chars();
    chars.next().map(|first| first.to_ascii_uppercase().to_string() + chars.as_str()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use crate::json::flatten;

    use super::*;

    fn normal(text: &str) -> Fields<'_> {
        let fields = flatten(text).unwrap();
        let shape = shape(&fields).unwrap();
        normalise(fields, shape)
    }

    #[test]
    fn every_shape_ends_in_the_same_names() {
        for text in [
            r##"{"Event":{"System":{"Provider":{"#attributes":{"Name":"P"}},"EventID":{"#attributes":{"Qualifiers":""},"#text":1},"Channel":"C","Computer":"H"},"EventData":{"Image":"I"}}}"##,
            r##"{"Event":{"System":{"Provider":{"@Name":"P"},"EventID":1,"Channel":"C","Computer":"H"},"EventData":{"Data":[{"@Name":"Image","#text":"I"}]}}}"##,
            r##"{"System":{"Provider":{"#attributes":{"Name":"P"}},"EventID":1,"Channel":"C","Computer":"H"},"EventData":{"Image":"I"}}"##,
            r##"{"winlog":{"channel":"C","event_id":1,"provider_name":"P","computer_name":"H","event_data":{"Image":"I"}}}"##,
            r##"{"log_name":"C","event_id":1,"source_name":"P","computer_name":"H","event_data":{"Image":"I"}}"##,
            r##"{"event_id":1,"log_name":"C","source_name":"P","computer_name":"H","event_data":{"Image":"I"}}"##,
            r##"{"win":{"system":{"providerName":"P","eventID":1,"channel":"C","computer":"H"},"eventdata":{"image":"I"}}}"##,
            r##"{"Channel":"C","EventID":1,"Provider_Name":"P","Computer":"H","Image":"I"}"##,
            r##"{"LogName":"C","EventCode":1,"SourceName":"P","ComputerName":"H","Image":"I"}"##,
            r##"{"Id":1,"ProviderName":"P","LogName":"C","MachineName":"H","Image":"I"}"##,
        ] {
            let fields = normal(text);
            for (name, value) in [
                ("Channel", "C"),
                ("EventID", "1"),
                ("Provider_Name", "P"),
                ("Computer", "H"),
                ("Image", "I"),
            ] {
                assert_eq!(fields.get(name).map(Value::to_text).as_deref(), Some(value), "{name} of {text}");
            }
        }
    }

    #[test]
    fn user_data_and_names_with_blanks() {
        let fields = normal(
            r##"{"Event":{"System":{"EventID":1116},"UserData":{"X":{"#attributes":{"xmlns":"u"},"Threat Name":"T"}}}}"##,
        );
        assert_eq!(fields.text("ThreatName"), Some("T"));
        assert!(!fields.iter().any(|(name, _)| name.contains("xmlns")));
    }

    #[test]
    fn hashes_are_taken_apart() {
        let fields = normal(r##"{"Channel":"C","EventID":1,"Hashes":"SHA1=A,IMPHASH=B"}"##);
        assert_eq!((fields.text("sha1"), fields.text("Imphash")), (Some("A"), Some("B")));
    }
}
