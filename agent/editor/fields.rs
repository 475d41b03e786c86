//! The fields that can be set, from the table of all fields.

use crate::{
    manifest::fields::{Form, Of, described, names},
    view::{FieldForm, FieldOf, FieldSpec},
};

/// All fields that can be set. Fields inside `hostTemplate`, hosts, routes, rules and tests are listed for these parts,
/// and not for the manifest itself.
pub fn fields() -> Vec<FieldSpec> {
    let owners = [
        (Of::Manifest, FieldOf::Manifest),
        (Of::Template, FieldOf::Template),
        (Of::Host, FieldOf::Host),
        (Of::Route, FieldOf::Route),
        (Of::Rule, FieldOf::Rule),
        (Of::Test, FieldOf::Test),
    ];
    let all = owners.into_iter().flat_map(|(of, owner)| {
        let names = plain(of).into_iter();
        names.filter_map(move |(name, path)| spec(of, owner, name, &path))
    });
    all.collect()
}

/// The names of the fields of this table that have values of their own, each with the keys that lead to it.
pub(super) fn plain(of: Of) -> Vec<(String, Vec<String>)> {
    let paths = names(of).into_iter().map(|name| {
        let path: Vec<String> = name.split('.').map(str::to_owned).collect();
        (name, path)
    });
    paths
        .filter(|(_, path)| path[0] != "hostTemplate")
        .collect()
}

fn spec(of: Of, owner: FieldOf, field: String, path: &[String]) -> Option<FieldSpec> {
    let described = described(of, path)?;
    let (form, words) = match described.form {
        Form::Text => (FieldForm::Text, &[][..]),
        Form::Word(words) => (FieldForm::Word, words),
        Form::Flag => (FieldForm::Flag, &[][..]),
        Form::Texts => (FieldForm::Texts, &[][..]),
        Form::TextOrTexts => (FieldForm::TextOrTexts, &[][..]),
        Form::Map => return None,
    };
    Some(FieldSpec {
        of: owner,
        field,
        form,
        words: words.iter().map(|&word| word.to_owned()).collect(),
        required: described.required,
        doc: described.doc.to_owned(),
        example: described.example.to_owned(),
        pattern: described.pattern,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_of_a_host_is_listed_with_its_meaning() {
        let all = fields();
        let find = |of, field: &str| all.iter().find(|it| it.of == of && it.field == field);
        let listen = find(FieldOf::Host, "http.listen").unwrap();
        assert_eq!(listen.form, FieldForm::Text);
        assert!(listen.pattern.is_some() && !listen.required, "{listen:?}");
        let allow = find(FieldOf::Template, "loopback.allow").unwrap();
        assert_eq!(allow.words, ["same-user", "any"]);
        assert!(find(FieldOf::Route, "via").unwrap().required);
        assert!(find(FieldOf::Test, "expect").unwrap().pattern.is_some());
        assert!(find(FieldOf::Manifest, "network").is_some());
        assert!(find(FieldOf::Manifest, "policy.default").is_some());
        assert!(find(FieldOf::Template, "vip").is_none());
        for way in [
            "cmd",
            "ssh",
            "docker",
            "docker.service",
            "kubernetes.pod",
            "shell",
        ] {
            assert!(find(FieldOf::Host, way).is_some(), "{way}");
        }
        for spec in &all {
            assert!(!spec.doc.is_empty(), "{spec:?}");
            let example = serde_json::from_str::<serde_json::Value>(&spec.example);
            assert!(example.is_ok(), "{spec:?}");
            assert!(!spec.pattern.as_ref().is_some_and(|it| it.contains('<')));
        }
    }
}
