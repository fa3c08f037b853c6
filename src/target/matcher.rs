//! Matchers: which refusals mean that a record is there, that no row can pass, that nothing was done.

use regex::Regex;

use super::file::Matcher;
use super::shape::Refusal;

/// A compiled matcher: all that is given must fit.
#[derive(Debug)]
pub(super) struct Code {
    status: Option<u16>,
    code: Option<String>,
    message: Option<Regex>,
    field: Option<String>,
}

impl Code {
    /// Compiles a matcher; the error says what is wrong with its pattern.
    pub(super) fn compile(matcher: &Matcher) -> Result<Self, String> {
        if matcher.status.is_none()
            && matcher.code.is_none()
            && matcher.message.is_none()
            && matcher.field.is_none()
        {
            return Err("it names none of status, code, message, field".to_owned());
        }
        Ok(Self {
            status: matcher.status,
            code: matcher.code.clone(),
            message: matcher
                .message
                .as_ref()
                .map(|pattern| Regex::new(pattern).map_err(|error| error.to_string()))
                .transpose()?,
            field: matcher.field.clone(),
        })
    }

    /// A matcher of one status.
    pub(super) fn status(status: u16) -> Self {
        Self {
            status: Some(status),
            code: None,
            message: None,
            field: None,
        }
    }

    /// Whether it names a code or words, not status and field alone.
    pub(super) fn names_words(&self) -> bool {
        self.code.is_some() || self.message.is_some()
    }

    /// Whether it fits a refusal.
    pub(super) fn fits(&self, refusal: &Refusal) -> bool {
        self.status.is_none_or(|status| status == refusal.status) && self.fits_beside(refusal)
    }

    /// Whether it fits what one item of a batch says that gives no status of its own: what else
    /// the matcher names decides, and one of a status alone fits the answer's.
    pub(super) fn fits_item(&self, refusal: &Refusal) -> bool {
        let alone = self.code.is_none() && self.message.is_none() && self.field.is_none();
        match alone {
            true => self.fits(refusal),
            false => self.fits_beside(refusal),
        }
    }

    fn fits_beside(&self, refusal: &Refusal) -> bool {
        self.code.as_ref().is_none_or(|code| {
            refusal
                .code
                .as_ref()
                .is_some_and(|own| own == code || own.ends_with(&format!(".{code}")))
        }) && self.message.as_ref().is_none_or(|message| {
            message.is_match(&refusal.message)
                || refusal
                    .fields
                    .iter()
                    .any(|(_, text)| message.is_match(text))
        }) && self
            .field
            .as_ref()
            .is_none_or(|field| refusal.fields.iter().any(|(name, _)| name == field))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_a_matcher_names_must_fit() {
        let refusal = Refusal {
            status: 409,
            code: Some("CreateCustomer.SlugConflict".into()),
            message: "the slug is taken".into(),
            fields: vec![("slug".into(), "taken".into())],
        };
        for (matcher, fits) in [
            ("status = 409", true),
            ("status = 409\ncode = \"SlugConflict\"", true),
            ("status = 409\ncode = \"Other\"", false),
            ("message = \"taken$\"", true),
            ("field = \"slug\"", true),
            ("field = \"name\"", false),
            ("status = 422", false),
        ] {
            let code = Code::compile(&toml::from_str(matcher).unwrap()).unwrap();
            assert_eq!(code.fits(&refusal), fits, "{matcher}");
        }
        // An item of a batch that was answered 207 as a whole, with no status of its own.
        let refusal = Refusal {
            status: 207,
            ..refusal
        };
        for (matcher, fits) in [
            ("status = 409\ncode = \"SlugConflict\"", true),
            ("status = 409", false),
            ("status = 207", true),
        ] {
            let code = Code::compile(&toml::from_str(matcher).unwrap()).unwrap();
            assert_eq!(code.fits_item(&refusal), fits, "{matcher}");
        }
        assert!(Code::compile(&Matcher::default()).is_err());
    }
}
