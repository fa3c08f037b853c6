//! Why a workbook is not read, and the reader kept from ending the program.

use std::cell::Cell;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use calamine::{OdsError, XlsError, XlsbError, XlsxError};

use super::SourceError;
use super::origin::Origin;

/// Why the reader stopped.
pub(super) enum Trouble {
    Password,
    TooLarge(String),
    Io(io::Error),
    Other(String),
}

macro_rules! trouble_from {
    ($error:ident) => {
        impl From<$error> for Trouble {
            fn from(error: $error) -> Self {
                match error {
                    $error::Password => Self::Password,
                    other => Self::Other(other.to_string()),
                }
            }
        }
    };
}
trouble_from!(XlsxError);
trouble_from!(XlsbError);
trouble_from!(XlsError);
trouble_from!(OdsError);

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Trouble {
    /// The sentence for the user.
    pub(super) fn error(self, origin: &Origin) -> SourceError {
        let name = origin.name.clone();
        match self {
            Self::Password => SourceError::Encrypted { name },
            Self::TooLarge(what) => SourceError::TooLarge { name, what },
            Self::Io(error) if error.kind() == io::ErrorKind::InvalidData => SourceError::Damaged {
                name,
                what: error.to_string(),
            },
            Self::Io(cause) => SourceError::Read { name, cause },
            Self::Other(what) => SourceError::Damaged { name, what },
        }
    }
}

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Runs a step of the reader that may panic on a malformed file. The user then gets our sentence,
/// not the panic's.
pub(super) fn guard<T, E: Into<Trouble>>(
    step: impl FnOnce() -> Result<T, E>,
) -> Result<T, Trouble> {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !GUARDED.get() {
                usual(panic);
            }
        }));
    });
    GUARDED.set(true);
    let result = catch_unwind(AssertUnwindSafe(step));
    GUARDED.set(false);
    match result {
        Ok(result) => result.map_err(Into::into),
        Err(_) => Err(Trouble::Other("it is not well formed".to_owned())),
    }
}
