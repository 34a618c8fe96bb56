//! `| json` of every show command that the grammar has: it is JSON, it says what the text says, and `JSON.md` documents
//! each of its fields.

use std::collections::BTreeMap;

use isthmus_grammar::{Mode, help};
use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::{command, with_world};
use crate::show::screen as screen_of;
use crate::show::screen::{Document, Screen};

/// A show command that `?` offers.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Form {
    /// As `?` names its arguments: `show access-lists WORD`.
    shown: String,
    /// With arguments from the world of the tests.
    typed: String,
}

/// Every show command, without and with an argument wherever one may stand.
fn forms() -> Vec<Form> {
    let mut found = Vec::new();
    let mut open = vec![Form {
        shown: "show".to_owned(),
        typed: "show".to_owned(),
    }];
    while let Some(form) = open.pop() {
        let offered = help::help(Mode::Exec, &format!("{} ", form.typed));
        let words = offered
            .lines()
            .filter_map(|line| line.split_whitespace().next());
        for word in words {
            match word {
                "<cr>" => found.push(form.clone()),
                "|" => {}
                // The kinds of interfaces; `WORD` stands for the whole name.
                kind if kind.starts_with(char::is_uppercase) && kind != kind.to_uppercase() => {}
                word => open.push(Form {
                    shown: format!("{} {word}", form.shown),
                    typed: format!("{} {}", form.typed, argument(&form.typed, word)),
                }),
            }
        }
    }
    // Not offered: with it `show int` would be ambiguous.
    let hidden = "show interface-map".to_owned();
    found.push(Form {
        shown: hidden.clone(),
        typed: hidden,
    });
    found.sort();
    found
}

fn commands() -> Vec<String> {
    forms().into_iter().map(|form| form.typed).collect()
}

/// A word of `?` as it can be typed: keywords as they are, an argument from the world of the tests.
fn argument(line: &str, word: &str) -> String {
    let before = line.rsplit(' ').next().unwrap_or_default();
    let value = match (word, before) {
        ("WORD", "access-lists") => "OFFICE",
        ("WORD", "tag") if line.contains("transform-set") => "GCM",
        ("WORD", "interface" | "interfaces" | "brief") => "GigabitEthernet0/0",
        ("WORD", _) => "OUT",
        ("A.B.C.D", "route") => "172.30.1.9",
        ("A.B.C.D", "local") => "198.51.100.7",
        ("A.B.C.D", "172.30.1.9") => "255.255.255.0",
        ("A.B.C.D", _) => "203.0.113.1",
        ("X:X:X:X::X", _) => "2001:db8::1",
        (range, _) if range.starts_with('<') => {
            let range = range.trim_start_matches('<');
            range.split('-').next().unwrap_or_default()
        }
        (keyword, _) => keyword,
    };
    value.to_owned()
}

fn with_screen<T>(line: &str, look: impl FnOnce(&Document<'_>) -> T) -> T {
    with_world(
        |_| {},
        |snapshot| {
            let document = Document {
                command: line,
                hostname: snapshot.running.hostname(),
                time: &snapshot.now,
                data: &*screen_of(snapshot, &command(line)),
            };
            look(&document)
        },
    )
}

fn json(line: &str) -> Value {
    with_screen(line, |document| {
        serde_json::from_str(&document.print()).unwrap()
    })
}

/// A field of a document, as the page has it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Field {
    /// `flows[].sas[].spi`
    path: String,
    /// `number or null`
    kind: String,
    meaning: String,
}

/// The fields of a schema, outer ones first.
fn fields(schema: &Value) -> Vec<Field> {
    let mut list = Vec::new();
    object(schema, schema, "", &mut list);
    list
}

fn object(root: &Value, schema: &Value, path: &str, list: &mut Vec<Field>) {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
        return;
    };
    for (name, field) in properties {
        let path = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        let meaning = field.get("description").and_then(Value::as_str);
        let place = list.len();
        let meaning = meaning.unwrap_or_default().replace('\n', " ");
        list.push(Field {
            path: path.clone(),
            kind: String::new(),
            meaning,
        });
        let (kind, words) = value(root, field, &path, list);
        list[place].kind = kind;
        if !words.is_empty() {
            let words = words.join(", ");
            list[place].meaning = format!("{} {words}", list[place].meaning);
        }
    }
}

/// The kind of a value and, of an enumeration, its words. The fields within go to the list.
fn value(root: &Value, schema: &Value, path: &str, list: &mut Vec<Field>) -> (String, Vec<String>) {
    if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
        let name = name.trim_start_matches("#/$defs/");
        // A tree: described where it was met first.
        if path.ends_with(".children[]") {
            return ("the same".to_owned(), Vec::new());
        }
        return value(root, &root["$defs"][name], path, list);
    }
    if schema["title"]
        .as_str()
        .is_some_and(|title| title.ends_with("network"))
    {
        return ("prefix".to_owned(), Vec::new());
    }
    if let Some(either) = schema.get("anyOf").and_then(Value::as_array) {
        let (kind, words) = value(root, &either[0], path, list);
        assert_eq!(either[1]["type"], "null", "{path}");
        return (format!("{kind} or null"), words);
    }
    if let Some(words) = schema.get("oneOf").and_then(Value::as_array) {
        let word = |one: &Value| {
            let meaning = one["description"].as_str().unwrap_or_default();
            let meaning = meaning.trim_end_matches('.');
            format!("`{}`: {meaning}", one["const"].as_str().unwrap())
        };
        return ("string".to_owned(), words.iter().map(word).collect());
    }
    let (kind, null) = match &schema["type"] {
        Value::String(kind) => (kind.as_str(), ""),
        Value::Array(kinds) => (kinds[0].as_str().unwrap(), " or null"),
        _ => ("any", ""),
    };
    let kind = match kind {
        "array" => {
            let (kind, words) = value(root, &schema["items"], &format!("{path}[]"), list);
            return (format!("array of {kind}{null}"), words);
        }
        "object" => {
            object(root, schema, path, list);
            "object"
        }
        "integer" => "number",
        "string" if schema["format"] == "date-time" => "time",
        "string" if schema["format"] == "ip" || schema["format"] == "ipv4" => "address",
        kind => kind,
    };
    (format!("{kind}{null}"), Vec::new())
}

fn schema(screen: &dyn Screen) -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let settings = settings.with(|settings| settings.inline_subschemas = true);
    screen.schema(&mut settings.into_generator()).to_value()
}

/// `JSON.md`: what is the same for all commands, then the fields of each.
fn page() -> String {
    let mut by_schema: BTreeMap<String, (Vec<String>, Value)> = BTreeMap::new();
    for Form { shown, typed } in forms() {
        let schema = with_screen(&typed, |document| schema(document.data));
        let known = by_schema.entry(schema.to_string());
        known.or_insert((Vec::new(), schema)).0.push(shown);
    }
    let mut sections: Vec<_> = by_schema.into_values().collect();
    sections.sort_by(|one, other| one.0.cmp(&other.0));
    let document = SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator();
    let document = document.into_root_schema_for::<Document<'_>>().to_value();
    let mut page = include_str!("json.md").replace("DOCUMENT\n", &table(&document));
    for (lines, schema) in sections {
        page.push_str(&format!("\n## `{}`\n\n", lines[0]));
        if lines.len() > 1 {
            let others: Vec<String> = lines[1..].iter().map(|line| format!("`{line}`")).collect();
            page.push_str(&format!("Also {}.\n\n", others.join(", ")));
        }
        page.push_str(&table(&schema));
    }
    page
}

fn table(schema: &Value) -> String {
    let mut table = String::from("| field | type | meaning |\n|---|---|---|\n");
    for Field {
        path,
        kind,
        meaning,
    } in fields(schema)
    {
        table.push_str(&format!("| `{path}` | {kind} | {meaning} |\n"));
    }
    table
}

#[test]
fn the_page_documents_every_field_of_every_command() {
    let page = page();
    for line in page.lines().filter(|line| line.starts_with("| `")) {
        assert!(!line.ends_with("|  |"), "no meaning: {line}");
        let name = line.split('`').nth(1).unwrap().rsplit('.').next().unwrap();
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_[]".contains(c);
        assert!(name.chars().all(plain), "not snake_case: {line}");
    }
    super::same_as_file("src/show/JSON.md", &page);
}

/// What is in a document must be on the page under the same name and of the same type.
fn documented(path: &str, value: &Value, fields: &[Field]) {
    match value {
        Value::Array(items) => {
            for item in items {
                documented(&format!("{path}[]"), item, fields);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                let path = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                // The lines of a tree are the same at every depth.
                let known = path.replace(".children[]", "");
                let field = fields.iter().find(|field| field.path == known);
                let field = field.unwrap_or_else(|| panic!("{path} is not on the page"));
                let matches = match member {
                    Value::Null => field.kind.ends_with("null"),
                    Value::Bool(_) => field.kind.starts_with("boolean"),
                    Value::Number(_) => field.kind.starts_with("number"),
                    Value::String(_) => ["string", "time", "address", "prefix"]
                        .iter()
                        .any(|kind| field.kind.starts_with(kind)),
                    Value::Array(_) => field.kind.starts_with("array"),
                    Value::Object(_) => field.kind.starts_with("object"),
                };
                assert!(matches, "{path} is {member}, the page says {}", field.kind);
                if field.path != "screens" {
                    documented(&path, member, fields);
                }
            }
        }
        _ => {}
    }
}

#[test]
fn every_show_command_gives_a_document_that_keeps_to_the_page() {
    let commands = commands();
    assert!(commands.len() > 40, "{commands:?}");
    for line in commands {
        let document = json(&line);
        assert_eq!(document["command"], line.as_str());
        assert_eq!(document["hostname"], "hub");
        assert_eq!(document["time"], "2026-11-23T15:32:00.250+00:00");
        assert!(document["data"].is_object(), "{line}");
        let schema = with_screen(&line, |document| schema(document.data));
        documented("", &document["data"], &fields(&schema));
    }
}

/// Numbers and addresses that a layout of IOS prints and that say nothing about this router: the sizes in words of
/// Diffie-Hellman groups and hashes, flags, nominal values, and networks that routes are grouped under.
const LAYOUT: &[&str] = &[
    "0x2102",
    "255",
    "256",
    "384",
    "512",
    "521",
    "1024",
    "2048",
    "3072",
    "4096",
    "80000000",
    "80000040",
    "8000000",
    "9600",
    "5000",
    "1000000",
    "50000",
    "100",
    "0.0.0.0",
    "255.255.255.0",
    "255.255.255.255",
    "172.30.0.0",
    "10.0.0.0",
    "198.51.100.0",
];

#[test]
fn numbers_and_addresses_of_the_text_are_in_the_json() {
    for line in commands() {
        let text = super::screen(&line);
        let document = json(&line)["data"].to_string();
        let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || ".:-_/".contains(c)));
        for word in words.flat_map(|word| word.split('/')) {
            let word = word.trim_end_matches(['.', ':']);
            // A decimal fraction is padded in a table.
            let word = if word.matches('.').count() == 1 {
                word.trim_end_matches('0')
            } else {
                word
            };
            let digits = word.chars().filter(char::is_ascii_digit).count();
            let number = word.chars().all(|c| c.is_ascii_digit() || c == '.') && digits > 2;
            if number && !LAYOUT.contains(&word) {
                assert!(
                    document.contains(word),
                    "{line}: {word} is in\n{text}\nnot in {document}"
                );
            }
        }
    }
}

#[test]
fn tech_support_as_json_has_no_secret_either() {
    let document = json("show tech-support").to_string();
    for secret in ["first-key", "second-key", "any-key", "third-key"] {
        assert!(!document.contains(secret), "{secret}");
    }
}
