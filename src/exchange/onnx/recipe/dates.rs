//! Dates and time stamps taken apart with whole numbers, as the recipe does it.

use crate::exchange::onnx::graph::{Graph, Tensor};
use crate::exchange::onnx::recipe::cells::{Cell, Named};
use crate::exchange::onnx::recipe::numbers::{looked_up, on_circle};
use crate::features::dates::FittedDates;
use crate::spec::recipe::DatePart;

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_MINUTE: i64 = 60 * MICROS_PER_SECOND;
const MICROS_PER_HOUR: i64 = 60 * MICROS_PER_MINUTE;
const MICROS_PER_DAY: i64 = 24 * MICROS_PER_HOUR;

/// The columns that are made of `time`, missing where it is.
pub fn write(graph: &mut Graph, fitted: &FittedDates, time: &Tensor) -> Vec<Named> {
    let missing = Cell::Time(time.clone()).missing(graph);
    let zero = graph.wholes(&[1], &[0]);
    // A time that is none would overflow.
    let time = graph.select(&missing, &zero, time);
    let mut clock = Clock::new(graph, time);
    let mut names = fitted.columns.iter();
    let mut made = Vec::with_capacity(fitted.columns.len());
    for &part in &fitted.parts {
        let turned = if fitted.cyclic { clock.turned(part) } else { None };
        let values = match turned {
            Some(both) => both.to_vec(),
            None => vec![clock.value(part, fitted.since.unwrap_or(0))],
        };
        for (values, name) in values.iter().zip(&mut names) {
            made.push(Named::new(name, Cell::number(clock.graph.missing_where(&missing, values))));
        }
    }
    made
}

/// A moment, and what has been worked out about it.
struct Clock<'g> {
    graph: &'g mut Graph,
    micros: Tensor,
    days: Tensor,
    in_day: Tensor,
    /// Year, month and day.
    civil: Option<[Tensor; 3]>,
}

impl<'g> Clock<'g> {
    fn new(graph: &'g mut Graph, micros: Tensor) -> Clock<'g> {
        let day = graph.wholes(&[1], &[MICROS_PER_DAY]);
        let in_day = graph.op("Mod", &[&micros, &day]);
        let whole = graph.op("Sub", &[&micros, &in_day]);
        let days = graph.op("Div", &[&whole, &day]);
        Clock { graph, micros, days, in_day, civil: None }
    }

    /// `op` with a constant.
    fn with(&mut self, op: &str, tensor: &Tensor, constant: i64) -> Tensor {
        let constant = self.graph.wholes(&[1], &[constant]);
        self.graph.op(op, &[tensor, &constant])
    }

    /// Rounded down. ONNX divides whole numbers towards 0; its remainder is never below 0 for a divisor above 0.
    fn divided(&mut self, tensor: &Tensor, by: i64) -> Tensor {
        let rest = self.with("Mod", tensor, by);
        let whole = self.graph.op("Sub", &[tensor, &rest]);
        self.with("Div", &whole, by)
    }

    /// 1 where it is true.
    fn counted(&mut self, condition: &Tensor) -> Tensor {
        self.graph.as_wholes(condition)
    }

    fn civil(&mut self) -> [Tensor; 3] {
        if let Some(known) = &self.civil {
            return known.clone();
        }
        let days = self.days.clone();
        let made = self.civil_of(&days);
        self.civil = Some(made.clone());
        made
    }

    /// Hinnant's `civil_from_days`; see `features::dates`.
    fn civil_of(&mut self, days: &Tensor) -> [Tensor; 3] {
        let shifted = self.with("Add", days, 719_468);
        let era = self.divided(&shifted, 146_097);
        let day_of_era = self.with("Mod", &shifted, 146_097);
        let mut counted = day_of_era.clone();
        for (op, days) in [("Sub", 1_460), ("Add", 36_524), ("Sub", 146_096)] {
            let part = self.with("Div", &day_of_era, days);
            counted = self.graph.op(op, &[&counted, &part]);
        }
        let year_of_era = self.with("Div", &counted, 365);
        let mut day_of_year = day_of_era;
        for (op, factor, by) in [("Sub", 365, 1), ("Sub", 1, 4), ("Add", 1, 100)] {
            let part = self.with("Mul", &year_of_era, factor);
            let part = self.with("Div", &part, by);
            day_of_year = self.graph.op(op, &[&day_of_year, &part]);
        }
        let month = self.with("Mul", &day_of_year, 5);
        let month = self.with("Add", &month, 2);
        let month_from_march = self.with("Div", &month, 153);
        let before = self.with("Mul", &month_from_march, 153);
        let before = self.with("Add", &before, 2);
        let before = self.with("Div", &before, 5);
        let day = self.graph.op("Sub", &[&day_of_year, &before]);
        let day = self.with("Add", &day, 1);
        let late = self.with("GreaterOrEqual", &month_from_march, 10);
        let (ahead, back) = (self.with("Add", &month_from_march, 3), self.with("Sub", &month_from_march, 9));
        let month = self.graph.select(&late, &back, &ahead);
        let next = self.counted(&late);
        let years = self.with("Mul", &era, 400);
        let year = self.graph.op("Add", &[&year_of_era, &years]);
        [self.graph.op("Add", &[&year, &next]), month, day]
    }

    /// Monday 0 to Sunday 6.
    fn weekday(&mut self) -> Tensor {
        let days = self.days.clone();
        let shifted = self.with("Add", &days, 3);
        self.with("Mod", &shifted, 7)
    }

    /// 1 in leap years.
    fn leap(&mut self, year: &Tensor) -> Tensor {
        let [by_4, by_100, by_400] = [4, 100, 400].map(|by| {
            let rest = self.with("Mod", year, by);
            self.with("Equal", &rest, 0)
        });
        let century = self.graph.op("Not", &[&by_100]);
        let usual = self.graph.op("And", &[&by_4, &century]);
        let leap = self.graph.op("Or", &[&usual, &by_400]);
        self.counted(&leap)
    }

    /// By month, from 1 on.
    fn by_month(&mut self, month: &Tensor, table: [i64; 13]) -> Tensor {
        let table = self.graph.wholes(&[table.len()], &table);
        self.graph.op("Gather", &[&table, month])
    }

    /// 1 to 366.
    fn day_of_year(&mut self, [year, month, day]: &[Tensor; 3]) -> Tensor {
        let before = self.by_month(month, [0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334]);
        let sum = self.graph.op("Add", &[&before, day]);
        let leap = self.leap(year);
        let late = self.with("Greater", month, 2);
        let late = self.counted(&late);
        let added = self.graph.op("Mul", &[&leap, &late]);
        self.graph.op("Add", &[&sum, &added])
    }

    fn days_in_month(&mut self) -> Tensor {
        let [year, month, _] = self.civil();
        let usual = self.by_month(&month, [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]);
        let leap = self.leap(&year);
        let february = self.with("Equal", &month, 2);
        let february = self.counted(&february);
        let added = self.graph.op("Mul", &[&leap, &february]);
        self.graph.op("Add", &[&usual, &added])
    }

    /// Week of ISO 8601.
    fn week(&mut self) -> Tensor {
        let (days, weekday) = (self.days.clone(), self.weekday());
        let shifted = self.with("Add", &days, 3);
        let thursday = self.graph.op("Sub", &[&shifted, &weekday]);
        let civil = self.civil_of(&thursday);
        let day = self.day_of_year(&civil);
        let day = self.with("Sub", &day, 1);
        let week = self.with("Div", &day, 7);
        self.with("Add", &week, 1)
    }

    /// One part of the moment, as a number.
    fn value(&mut self, part: DatePart, since: i64) -> Tensor {
        let in_day = self.in_day.clone();
        let whole = match part {
            DatePart::Year => self.civil()[0].clone(),
            DatePart::Month => self.civil()[1].clone(),
            DatePart::Day => self.civil()[2].clone(),
            DatePart::Quarter => {
                let [_, month, _] = self.civil();
                let month = self.with("Add", &month, 2);
                self.with("Div", &month, 3)
            }
            DatePart::Week => self.week(),
            DatePart::Weekday => self.weekday(),
            DatePart::DayOfYear => {
                let civil = self.civil();
                self.day_of_year(&civil)
            }
            DatePart::Hour => self.with("Div", &in_day, MICROS_PER_HOUR),
            DatePart::Minute => {
                let rest = self.with("Mod", &in_day, MICROS_PER_HOUR);
                self.with("Div", &rest, MICROS_PER_MINUTE)
            }
            DatePart::Second => {
                let rest = self.with("Mod", &in_day, MICROS_PER_MINUTE);
                self.with("Div", &rest, MICROS_PER_SECOND)
            }
            DatePart::TimeOfDay => return self.share(&in_day, MICROS_PER_SECOND as f64),
            DatePart::Epoch => return self.share(&self.micros.clone(), MICROS_PER_SECOND as f64),
            DatePart::IsWeekend => {
                let weekday = self.weekday();
                self.with("GreaterOrEqual", &weekday, 5)
            }
            DatePart::IsMonthStart => {
                let [_, _, day] = self.civil();
                self.with("Equal", &day, 1)
            }
            DatePart::IsMonthEnd => {
                let ([_, _, day], last) = (self.civil(), self.days_in_month());
                self.graph.op("Equal", &[&day, &last])
            }
            DatePart::DaysSince => {
                let micros = self.micros.clone();
                let away = self.with("Sub", &micros, since);
                return self.share(&away, MICROS_PER_DAY as f64);
            }
        };
        self.graph.as_numbers(&whole)
    }

    fn share(&mut self, whole: &Tensor, of: f64) -> Tensor {
        let number = self.graph.as_numbers(whole);
        let of = self.graph.number(of);
        self.graph.div(&number, &of)
    }

    /// Sine and cosine of the share of its period that has passed, for a part that returns to its start. Looked up, as trees
    /// may cut between values that differ in their last digit only; a time of day has too many.
    fn turned(&mut self, part: DatePart) -> Option<[Tensor; 2]> {
        let (first, period) = match part {
            DatePart::Quarter => (1, 4),
            DatePart::Month => (1, 12),
            DatePart::Week => (1, 53),
            DatePart::Weekday => (0, 7),
            DatePart::Hour => (0, 24),
            DatePart::Minute | DatePart::Second => (0, 60),
            DatePart::Day => {
                let days = self.days_in_month();
                return Some(self.turned_days(part, &days, 28, 4));
            }
            DatePart::DayOfYear => {
                let [year, _, _] = self.civil();
                let leap = self.leap(&year);
                let days = self.with("Add", &leap, 365);
                return Some(self.turned_days(part, &days, 365, 2));
            }
            DatePart::TimeOfDay => {
                let seconds = self.value(part, 0);
                let day = self.graph.number(86_400.0);
                let turn = self.graph.div(&seconds, &day);
                return Some(on_circle(self.graph, &turn));
            }
            DatePart::Year
            | DatePart::Epoch
            | DatePart::IsWeekend
            | DatePart::IsMonthStart
            | DatePart::IsMonthEnd
            | DatePart::DaysSince => return None,
        };
        let place = self.value(part, 0);
        let place = self.graph.as_wholes(&place);
        let place = self.with("Sub", &place, first);
        Some(looked_up(self.graph, &place, (0..period).map(|passed| f64::from(passed) / f64::from(period))))
    }

    /// The same for days of a month or year of `days` days, of which there are `lengths` from `shortest` on.
    fn turned_days(&mut self, part: DatePart, days: &Tensor, shortest: i64, lengths: i64) -> [Tensor; 2] {
        let longest = shortest + lengths - 1;
        let length = self.with("Sub", days, shortest);
        let start = self.with("Mul", &length, longest);
        let day = self.value(part, 0);
        let day = self.graph.as_wholes(&day);
        let day = self.with("Sub", &day, 1);
        let place = self.graph.op("Add", &[&start, &day]);
        let turn = |length: i64| (0..longest).map(move |passed| passed as f64 / length as f64);
        looked_up(self.graph, &place, (shortest..=longest).flat_map(turn))
    }
}
