//! Dates and time stamps taken apart with whole numbers, as the recipe does it.

use crate::exchange::onnx::graph::{Graph, Tensor};
use crate::exchange::onnx::recipe::cells::{Cell, Named};
use crate::exchange::onnx::recipe::numbers::on_circle;
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
        let turn = if fitted.cyclic { clock.turn(part) } else { None };
        let values = match turn {
            Some(turn) => on_circle(clock.graph, &turn).to_vec(),
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

    /// Share of its period that has passed, for a part that returns to its start.
    fn turn(&mut self, part: DatePart) -> Option<Tensor> {
        let (first, period) = match part {
            DatePart::Quarter => (1.0, 4.0),
            DatePart::Month => (1.0, 12.0),
            DatePart::Week => (1.0, 53.0),
            DatePart::Weekday => (0.0, 7.0),
            DatePart::Hour => (0.0, 24.0),
            DatePart::Minute | DatePart::Second => (0.0, 60.0),
            DatePart::TimeOfDay => (0.0, 86_400.0),
            DatePart::Day | DatePart::DayOfYear => return Some(self.long_turn(part)),
            DatePart::Year
            | DatePart::Epoch
            | DatePart::IsWeekend
            | DatePart::IsMonthStart
            | DatePart::IsMonthEnd
            | DatePart::DaysSince => return None,
        };
        let value = self.value(part, 0);
        let (first, period) = (self.graph.number(first), self.graph.number(period));
        let passed = self.graph.sub(&value, &first);
        Some(self.graph.div(&passed, &period))
    }

    /// Days of the real length of their month or year.
    fn long_turn(&mut self, part: DatePart) -> Tensor {
        let value = self.value(part, 0);
        let one = self.graph.number(1.0);
        let passed = self.graph.sub(&value, &one);
        let length = match part {
            DatePart::Day => self.days_in_month(),
            _ => {
                let [year, _, _] = self.civil();
                let leap = self.leap(&year);
                self.with("Add", &leap, 365)
            }
        };
        let length = self.graph.as_numbers(&length);
        self.graph.div(&passed, &length)
    }
}
