//! The interface map of the operator: IOS names and the kernel names they mean. Read by `main`; it wins over every
//! number that [`super::bindings`] gives.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, bail};
use isthmus_grammar::InterfaceName;

/// The lines of the interface map.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InterfaceMap {
    names: BTreeMap<InterfaceName, String>,
    /// Names whose device an earlier line has, with the name on that line. They mean no device.
    second: BTreeMap<InterfaceName, InterfaceName>,
    problems: Vec<String>,
}

impl InterfaceMap {
    /// Reads the file. One that is not there has no lines, which is worth a word if it was `asked` for.
    ///
    /// # Errors
    /// The file cannot be read, or a line is not `IOS-name kernel-name`.
    pub fn read(path: &Path, asked: bool) -> anyhow::Result<Self> {
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&text).with_context(|| path.display().to_string()),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Self {
                problems: Vec::from_iter(asked.then(|| {
                    format!(
                        "interface map {}: there is no such file; names are given in the order of the devices",
                        path.display()
                    )
                })),
                ..Self::default()
            }),
            Err(e) => {
                Err(e).with_context(|| format!("cannot read the interface map {}", path.display()))
            }
        }
    }

    pub(super) fn parse(text: &str) -> anyhow::Result<Self> {
        let mut map = Self::default();
        let mut devices: BTreeMap<String, InterfaceName> = BTreeMap::new();
        for (number, line) in text.lines().enumerate() {
            let number = number + 1;
            let line = line.split(['#', '!']).next().unwrap_or_default();
            let words: Vec<&str> = line.split_whitespace().collect();
            let [ios @ .., kernel] = words.as_slice() else {
                continue;
            };
            let name = InterfaceName::parse(&ios.join(" "));
            let Some(name) = name.filter(|name| name.ios_parts().is_some()) else {
                bail!("line {number}: expected an IOS interface name and a kernel interface name");
            };
            if map.names.contains_key(&name) || map.second.contains_key(&name) {
                bail!("line {number}: {name} has a line already");
            }
            if let Some(first) = devices.get(*kernel) {
                map.problems.push(format!(
                    "interface map, line {number}: {kernel} is {first} already; {name} means no device"
                ));
                map.second.insert(name, first.clone());
                continue;
            }
            devices.insert((*kernel).to_owned(), name.clone());
            map.names.insert(name, (*kernel).to_owned());
        }
        Ok(map)
    }

    /// What the file says of a name: the kernel name, or the name that has the device in its place.
    pub(super) fn get(&self, name: &InterfaceName) -> Option<Result<&str, &InterfaceName>> {
        let kernel = self.names.get(name).map(|kernel| Ok(kernel.as_str()));
        kernel.or_else(|| self.second.get(name).map(Err))
    }

    /// The device that a name means on a machine that has one for each name; an IOS name gets a line for it.
    pub(crate) fn device_for(&mut self, name: &InterfaceName) -> String {
        if name.ios_parts().is_none_or(|(kind, _)| kind == "Loopback") {
            return name.to_string();
        }
        let device = format!("device of {name}");
        self.names.insert(name.clone(), device.clone());
        device
    }

    /// Its names with their devices.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&InterfaceName, &str)> {
        self.names
            .iter()
            .map(|(name, kernel)| (name, kernel.as_str()))
    }

    /// What is wrong with the file itself.
    pub(super) fn problems(&self) -> &[String] {
        &self.problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_line_is_named() {
        let error = InterfaceMap::parse("\neth0 wan0\n").unwrap_err();
        assert!(error.to_string().starts_with("line 2: "), "{error}");
        assert!(InterfaceMap::parse("Gi0/0 a\nGi0/0 b").is_err());
    }

    #[test]
    fn a_device_on_two_lines_has_the_name_of_the_first() {
        let map = InterfaceMap::parse("Gi0/0 wan0\nFa0/0 wan0\nFa0/1 lan0").unwrap();
        let get = |name: &str| map.get(&InterfaceName::parse(name).unwrap()).unwrap();
        assert_eq!(get("Gi0/0"), Ok("wan0"));
        assert_eq!(get("Fa0/0").unwrap_err().as_str(), "GigabitEthernet0/0");
        assert_eq!(get("Fa0/1"), Ok("lan0"));
        assert_eq!(
            map.problems(),
            [
                "interface map, line 2: wan0 is GigabitEthernet0/0 already; FastEthernet0/0 means no device"
            ]
        );
    }

    #[test]
    fn a_file_that_is_not_there_is_worth_a_word_only_if_it_was_asked_for() {
        let path = Path::new("/nonexistent/interface-map");
        assert_eq!(InterfaceMap::read(path, false).unwrap().problems(), [""; 0]);
        let asked = InterfaceMap::read(path, true).unwrap();
        let problem = asked.problems().concat();
        assert!(
            problem.contains("/nonexistent/interface-map: there is no such file"),
            "{problem}"
        );
    }
}
