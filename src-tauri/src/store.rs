//! A value that is kept in a file of the app. If the file cannot be parsed, it is renamed and reported, but never
//! overwritten.

use std::{
    fs,
    path::{Path, PathBuf},
};

use norouter::driver::system::files;
use serde::{Serialize, de::DeserializeOwned};

/// The largest size of a file of a [`Store`], in bytes.
const SIZE_MAX: usize = 4 << 20;

/// A value and its file.
#[derive(Debug)]
pub(crate) struct Store<T> {
    file: PathBuf,
    value: T,
}

impl<T: Default + PartialEq + Serialize + DeserializeOwned> Store<T> {
    /// Loads the value from a file, or makes a default value. If the file could not be parsed, the second value is a
    /// sentence that reports this.
    pub(crate) fn open(file: PathBuf) -> (Self, Option<String>) {
        let (value, told) = match read(&file) {
            Ok(value) => (value.unwrap_or_default(), None),
            Err(reason) => {
                let aside = keep_aside(&file);
                let place = aside.map_or_else(
                    |error| format!("it cannot be kept aside either: {error}"),
                    |aside| format!("it is kept as {}", aside.display()),
                );
                let file = file.display();
                let told = format!("{file} cannot be understood ({reason}); {place}");
                (T::default(), Some(told))
            }
        };
        (Self { file, value }, told)
    }

    /// The value.
    pub(crate) fn get(&self) -> &T {
        &self.value
    }

    /// Changes the value and writes the file. If the file cannot be written, the value stays unchanged.
    pub(crate) fn change(&mut self, change: impl FnOnce(&mut T)) -> Result<(), String>
    where
        T: Clone,
    {
        let mut value = self.value.clone();
        change(&mut value);
        if value == self.value {
            return Ok(());
        }
        write(&self.file, &value)?;
        self.value = value;
        Ok(())
    }
}

fn read<T: DeserializeOwned>(file: &Path) -> Result<Option<T>, String> {
    let Some(bytes) = files::read(file)? else {
        return Ok(None);
    };
    if bytes.len() > SIZE_MAX {
        return Err(format!("it has more than {SIZE_MAX} bytes"));
    }
    let value = serde_json::from_slice(&bytes);
    value.map(Some).map_err(|error| error.to_string())
}

fn write(file: &Path, value: &impl Serialize) -> Result<(), String> {
    let mut text = serde_json::to_vec_pretty(value).map_err(|error| error.to_string())?;
    text.push(b'\n');
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)
            .map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    }
    files::replace(file, &text, files::PRIVATE)
}

/// Renames the file to an unused name, so that the next write does not overwrite it.
fn keep_aside(file: &Path) -> std::io::Result<PathBuf> {
    let mut number = 1;
    loop {
        let mut name = file.as_os_str().to_owned();
        name.push(format!(".broken-{number}"));
        let aside = PathBuf::from(name);
        if !aside.exists() {
            return fs::rename(file, &aside).map(|()| aside);
        }
        number += 1;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::testing::Folder;

    type Values = BTreeMap<String, u32>;

    fn put_one(values: &mut Values) {
        values.insert("a".to_owned(), 1);
    }

    #[test]
    fn what_was_changed_is_there_when_the_file_is_opened_again() {
        let folder = Folder::new("store");
        let file = folder.path("deep/values.json");
        let (mut store, told) = Store::<Values>::open(file.clone());
        assert_eq!(told, None);
        store.change(put_one).unwrap();
        let (store, told) = Store::<Values>::open(file);
        assert_eq!((store.get()["a"], told), (1, None));
    }

    #[test]
    fn a_broken_file_is_kept_aside_and_told_of() {
        let folder = Folder::new("broken");
        let file = folder.path("values.json");
        for number in 1..=2 {
            fs::write(&file, "{broken").unwrap();
            let (mut store, told) = Store::<Values>::open(file.clone());
            let aside = folder.path(&format!("values.json.broken-{number}"));
            assert!(told.unwrap().contains(aside.to_str().unwrap()));
            assert_eq!(fs::read_to_string(aside).unwrap(), "{broken");
            store.change(put_one).unwrap();
            assert!(fs::read_to_string(&file).unwrap().contains("\"a\": 1"));
        }
    }

    #[test]
    fn a_value_that_cannot_be_written_is_not_kept_either() {
        let folder = Folder::new("unwritable");
        fs::write(folder.path("file"), "").unwrap();
        let (mut store, _) = Store::<Values>::open(folder.path("file/values.json"));
        assert!(store.change(put_one).is_err());
        assert!(store.get().is_empty());
    }
}
