//! The command line: `--name value`, and `--name` alone for switches.

use std::collections::BTreeMap;
use std::str::FromStr;

use anyhow::{Context as _, bail};

/// The options of a command that were not asked for yet.
pub(crate) struct Args(BTreeMap<String, Option<String>>);

impl Args {
    /// Splits a command line into the command and its options.
    pub(crate) fn read(words: impl Iterator<Item = String>) -> anyhow::Result<(String, Self)> {
        let mut words = words.peekable();
        let command = words.next().context("no command")?;
        let mut options = BTreeMap::new();
        while let Some(word) = words.next() {
            let Some(name) = word.strip_prefix("--") else {
                bail!("unexpected argument `{word}`");
            };
            let value = words.next_if(|next| !next.starts_with("--"));
            options.insert(name.to_owned(), value);
        }
        Ok((command, Self(options)))
    }

    /// Takes the option `name`, if it was given.
    pub(crate) fn optional<T>(&mut self, name: &str) -> anyhow::Result<Option<T>>
    where
        T: FromStr,
        T::Err: std::error::Error + Send + Sync + 'static,
    {
        let Some(value) = self.0.remove(name) else {
            return Ok(None);
        };
        let value = value.with_context(|| format!("`--{name}` needs a value"))?;
        let parsed = value.parse();
        Ok(Some(parsed.with_context(|| {
            format!("`--{name} {value}` is invalid")
        })?))
    }

    /// Takes the option `name`, which must have been given.
    pub(crate) fn required<T>(&mut self, name: &str) -> anyhow::Result<T>
    where
        T: FromStr,
        T::Err: std::error::Error + Send + Sync + 'static,
    {
        self.optional(name)?
            .with_context(|| format!("`--{name}` is missing"))
    }

    /// Takes the switch `name`; returns whether it was given.
    pub(crate) fn switch(&mut self, name: &str) -> bool {
        self.0.remove(name).is_some()
    }

    /// Fails if an option was given that nobody took.
    pub(crate) fn finish(self) -> anyhow::Result<()> {
        match self.0.keys().next() {
            Some(name) => bail!("unknown option `--{name}`"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> anyhow::Result<(String, Args)> {
        Args::read(line.split(' ').map(str::to_owned))
    }

    #[test]
    fn options_are_taken_by_name() {
        let (command, mut args) = read("load --count 5 --tls --path /x").unwrap();
        assert_eq!(command, "load");
        assert_eq!(args.required::<u64>("count").unwrap(), 5);
        assert!(args.switch("tls"));
        assert!(!args.switch("tls"));
        assert_eq!(args.optional::<String>("absent").unwrap(), None);
        assert_eq!(args.required::<String>("path").unwrap(), "/x");
        args.finish().unwrap();
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert!(read("load stray").is_err());
        let (_, mut args) = read("load --count five --rest").unwrap();
        assert!(args.required::<u64>("count").is_err());
        assert!(args.required::<u64>("absent").is_err());
        assert!(args.finish().is_err());
    }
}
