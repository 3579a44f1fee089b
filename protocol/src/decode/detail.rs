//! The details of events out of JSON.

use super::json::Json;
use super::read::{Defect, Read, media, required, text, truth, whole, word};
use crate::clock::{Media, Millis};
use crate::event::{AdMoment, Bounded, Cause, ErrorPhase, Ladder, Percent, StopReason, Thousandths};
use crate::limits;
use crate::reply::RejectCode;

/// A detail that can be read.
pub(crate) trait ReadDetail: Sized {
    fn read(json: Json<'_>, field: &'static str) -> Read<Self>;
}

impl ReadDetail for bool {
    fn read(json: Json<'_>, field: &'static str) -> Read<Self> {
        Ok(truth(&json, field)?.unwrap_or(false))
    }
}

impl ReadDetail for Option<bool> {
    fn read(json: Json<'_>, field: &'static str) -> Read<Self> {
        truth(&json, field)
    }
}

impl ReadDetail for Option<u64> {
    fn read(json: Json<'_>, field: &'static str) -> Read<Self> {
        whole(&json, field, limits::DETAIL_NUMBER)
    }
}

impl ReadDetail for Millis {
    fn read(json: Json<'_>, field: &'static str) -> Read<Self> {
        required(whole(&json, field, limits::DETAIL_NUMBER)?, field)
    }
}

impl ReadDetail for Media {
    fn read(json: Json<'_>, field: &'static str) -> Read<Self> {
        required(media(&json, field)?, field)
    }
}

impl ReadDetail for Percent {
    fn read(json: Json<'_>, field: &'static str) -> Read<Self> {
        let percent = required(whole(&json, field, 100)?, field)?;
        Percent::new(percent as u8).ok_or(Defect::at(RejectCode::BadNumber, field))
    }
}

impl ReadDetail for Thousandths {
    fn read(json: Json<'_>, field: &'static str) -> Read<Self> {
        let ratio = match json {
            Json::Whole(number) => number as f64,
            Json::Number(number) => number,
            _ => return Err(Defect::at(RejectCode::Malformed, field)),
        };
        if !(0.0..=limits::RATIO).contains(&ratio) {
            return Err(Defect::at(RejectCode::BadNumber, field));
        }
        Ok(Self::nearest(ratio))
    }
}

impl<const MAX: usize> ReadDetail for Bounded<MAX> {
    fn read(json: Json<'_>, field: &'static str) -> Read<Self> {
        Ok(Self::cut(&text(json, field, MAX)?))
    }
}

macro_rules! read_words {
    ($($name:ident),+) => {
        $(impl ReadDetail for $name {
            fn read(json: Json<'_>, field: &'static str) -> Read<Self> {
                required(word(&json, field, Self::from_name)?, field)
            }
        })+
    };
}

read_words!(AdMoment, Cause, ErrorPhase, Ladder, StopReason);
