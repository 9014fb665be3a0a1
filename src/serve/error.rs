//! The one error of the server: why a request was not answered, in words and in fields a program can branch on.

use axum::http::StatusCode;

/// Why a request was refused. Each has one status and one name in answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The body is not JSON, or not the JSON asked for.
    NotJson,
    /// The body is not UTF-8.
    NotUtf8,
    /// The body is not delimited text of one width.
    NotCsv,
    /// The JSON has another shape than the protocol asks for.
    WrongShape,
    /// None of the keys that carry rows, or more than one.
    DataKeys,
    /// A parameter is unknown or of a wrong type.
    WrongParameter,
    /// A column that the model needs is absent.
    MissingColumn,
    /// A value is of another type than its column.
    WrongType,
    /// A column is named twice.
    DuplicateColumn,
    /// Rows or columns of different lengths.
    Ragged,
    /// The model refused the rows.
    RefusedRows,
    /// More rows than one request may have.
    TooManyRows,
    /// More bytes than one body may have.
    BodyTooLarge,
    /// The body came too slowly, or not at all.
    BodyTooSlow,
    /// The connection broke while the body came.
    BodyBroken,
    /// A content type or encoding that is not understood.
    UnknownMediaType,
    /// No such path.
    UnknownPath,
    /// The path knows other methods.
    WrongMethod,
    /// Too much is under way.
    Busy,
    /// A fault of the server.
    Internal,
}

/// A request that was not answered.
#[derive(Clone, Debug, PartialEq)]
pub struct ServeError {
    /// Why.
    pub reason: Reason,
    /// What happened and where, without a full stop.
    pub message: String,
    /// The column it is about.
    pub column: Option<String>,
    /// The row it is about, counted from 0.
    pub row: Option<usize>,
    /// What to do next.
    pub hint: Option<String>,
}

impl Reason {
    /// Name in answers.
    pub fn name(self) -> &'static str {
        match self {
            Reason::NotJson => "not_json",
            Reason::NotUtf8 => "not_utf8",
            Reason::NotCsv => "not_csv",
            Reason::WrongShape => "wrong_shape",
            Reason::DataKeys => "data_keys",
            Reason::WrongParameter => "wrong_parameter",
            Reason::MissingColumn => "missing_column",
            Reason::WrongType => "wrong_type",
            Reason::DuplicateColumn => "duplicate_column",
            Reason::Ragged => "ragged",
            Reason::RefusedRows => "refused_rows",
            Reason::TooManyRows => "too_many_rows",
            Reason::BodyTooLarge => "body_too_large",
            Reason::BodyTooSlow => "body_too_slow",
            Reason::BodyBroken => "body_broken",
            Reason::UnknownMediaType => "unknown_media_type",
            Reason::UnknownPath => "unknown_path",
            Reason::WrongMethod => "wrong_method",
            Reason::Busy => "busy",
            Reason::Internal => "internal",
        }
    }

    /// Status of the answer; 5xx only for faults that are not the client's.
    pub fn status(self) -> StatusCode {
        match self {
            Reason::TooManyRows | Reason::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Reason::BodyTooSlow => StatusCode::REQUEST_TIMEOUT,
            Reason::UnknownMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Reason::UnknownPath => StatusCode::NOT_FOUND,
            Reason::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
            Reason::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Reason::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

impl ServeError {
    /// An error that is about no column and no row.
    pub fn new(reason: Reason, message: impl Into<String>) -> ServeError {
        ServeError { reason, message: message.into(), column: None, row: None, hint: None }
    }

    /// Adds what the client can do next.
    pub fn hint(mut self, hint: impl Into<String>) -> ServeError {
        self.hint = Some(hint.into());
        self
    }

    /// Names the column.
    pub fn column(mut self, column: &str) -> ServeError {
        self.column = Some(column.to_owned());
        self
    }

    /// Names the row, counted from 0.
    pub fn row(mut self, row: usize) -> ServeError {
        self.row = Some(row);
        self
    }
}
