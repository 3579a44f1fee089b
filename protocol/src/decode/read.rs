//! Single values out of JSON, each with its bound and the code of its refusal. Null and absent mean the same.

use super::json::{Json, Object};
use crate::clock::{Media, Wall};
use crate::limits;
use crate::reply::RejectCode;

/// What was wrong, and with which field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Defect {
    pub code: RejectCode,
    pub field: Option<&'static str>,
}

impl Defect {
    pub(super) const fn of(code: RejectCode) -> Self {
        Self { code, field: None }
    }

    pub(super) const fn at(code: RejectCode, field: &'static str) -> Self {
        Self { code, field: Some(field) }
    }
}

pub(crate) type Read<T> = Result<T, Defect>;

/// A whole number, if present.
pub(super) fn whole(json: &Json<'_>, field: &'static str, max: u64) -> Read<Option<u64>> {
    let number = match *json {
        Json::Null => return Ok(None),
        Json::Whole(number) => number,
        // JSON has one kind of number: 3.0 is whole, 3.5 and -3 are not.
        Json::Number(number) if number >= 0.0 && number.fract() == 0.0 && number < 9e15 => number as u64,
        Json::Number(_) => return Err(Defect::at(RejectCode::BadNumber, field)),
        _ => return Err(Defect::at(RejectCode::Malformed, field)),
    };
    if number > max {
        return Err(Defect::at(RejectCode::BadNumber, field));
    }
    Ok(Some(number))
}

/// A text of at most `max` bytes; absent is empty.
pub(super) fn text(json: Json<'_>, field: &'static str, max: usize) -> Read<String> {
    let text = match json {
        Json::Null => return Ok(String::new()),
        Json::Text(text) => text,
        _ => return Err(Defect::at(RejectCode::Malformed, field)),
    };
    if text.len() > max {
        return Err(Defect::at(RejectCode::TooLong, field));
    }
    Ok(text.into_owned())
}

/// A word of a closed set, if present.
pub(super) fn word<T>(json: &Json<'_>, field: &'static str, read: fn(&str) -> Option<T>) -> Read<Option<T>> {
    match json {
        Json::Null => Ok(None),
        Json::Text(text) => read(text).map(Some).ok_or(Defect::at(RejectCode::UnknownValue, field)),
        _ => Err(Defect::at(RejectCode::Malformed, field)),
    }
}

pub(super) fn truth(json: &Json<'_>, field: &'static str) -> Read<Option<bool>> {
    match *json {
        Json::Null => Ok(None),
        Json::Bool(value) => Ok(Some(value)),
        _ => Err(Defect::at(RejectCode::Malformed, field)),
    }
}

pub(super) fn object<'a>(json: Json<'a>, field: &'static str) -> Read<Option<Object<'a>>> {
    match json {
        Json::Null => Ok(None),
        Json::Object(object) => Ok(Some(object)),
        _ => Err(Defect::at(RejectCode::Malformed, field)),
    }
}

pub(super) fn list<'a>(json: Json<'a>, field: &'static str) -> Read<Vec<Json<'a>>> {
    match json {
        Json::Null => Ok(Vec::new()),
        Json::List(list) => Ok(list),
        _ => Err(Defect::at(RejectCode::Malformed, field)),
    }
}

/// What must be there.
pub(super) fn required<T>(value: Option<T>, field: &'static str) -> Read<T> {
    value.ok_or(Defect::at(RejectCode::Malformed, field))
}

/// A date that must be there.
pub(super) fn wall(json: &Json<'_>, field: &'static str) -> Read<Wall> {
    let ms = required(whole(json, field, limits::WALL_MS as u64)?, field)?;
    Ok(Wall::from_ms(ms as i64))
}

/// A place in a video, if present.
pub(super) fn media(json: &Json<'_>, field: &'static str) -> Read<Option<Media>> {
    Ok(whole(json, field, limits::MEDIA_MS)?.map(|ms| Media::from_ms(ms as i64)))
}

/// A number of a slice or an event, that must be there.
pub(super) fn number(json: &Json<'_>, field: &'static str) -> Read<u32> {
    Ok(required(whole(json, field, limits::NUMBER)?, field)? as u32)
}
