//! The subject of an expression: one alert, laid out once for all the expressions that ask about it.

use std::sync::Arc;

use cel::Context;

use super::functions;
use crate::alert::Alert;

/// A value bound to its variable.
pub struct Subject {
    context: Context<'static, 'static>,
}

impl Subject {
    /// The alert as `alert`.
    pub fn of(alert: &Alert) -> Self {
        let view = serde_json::json!({
            "source": alert.source,
            "name": alert.name,
            "status": alert.status,
            "severity": alert.severity,
            "service": alert.service,
            "title": alert.title,
            "labels": alert.labels,
            "annotations": alert.annotations,
        });
        Self::named("alert", &view)
    }

    /// Any JSON value under a name of its own, such as `event` for a line of a log.
    pub fn named(variable: &str, value: &serde_json::Value) -> Self {
        let mut context = Context::with_env(Arc::clone(functions::environment()));
        let value = cel::to_value(value).unwrap_or(cel::Value::Null);
        context.add_variable_from_value(variable, value);
        Self { context }
    }

    pub(super) fn context(&self) -> &Context<'static, 'static> {
        &self.context
    }
}
