use tracing_core::subscriber::Interest;
use tracing_core::{LevelFilter, Metadata};
use tracing_subscriber::layer::{Context, Filter};

/// Which events a [`TracingLayer`](crate::TracingLayer) records, and which spans it looks at.
#[derive(Debug, Clone)]
pub struct TracingFilter {
    pub(crate) targets: Vec<String>,
    pub(crate) fields: Vec<String>,
    pub(crate) max_level: LevelFilter,
}

impl TracingFilter {
    pub(crate) fn selects(&self, metadata: &Metadata<'_>) -> bool {
        self.has_level(metadata)
            && (self.targets.iter().any(|target| is_within(metadata.target(), target))
                || self.fields.iter().any(|name| metadata.fields().field(name).is_some()))
    }

    pub(crate) fn has_level(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= self.max_level
    }

    fn needs(&self, metadata: &Metadata<'_>) -> bool {
        if metadata.is_span() { self.has_level(metadata) } else { self.selects(metadata) }
    }
}

/// Whether a target is this one or below it, as modules are.
fn is_within(target: &str, above: &str) -> bool {
    target.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

impl<S> Filter<S> for TracingFilter {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        self.needs(metadata)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.needs(metadata) { Interest::always() } else { Interest::never() }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.max_level)
    }
}
