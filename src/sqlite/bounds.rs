//! The range and the order of a boxed query over any table that is keyed by `seq`.

use diesel::dsl::{Asc, Desc, Gt, Lt};
use diesel::prelude::*;
use diesel::query_dsl::methods::{FilterDsl, OrderDsl};
use diesel::sql_types::BigInt;

use crate::sqlite::hints::{Likelihood, unselective};
use crate::store::range::{Order, SeqRange};

/// The rows of a query whose `seq` is in the range.
pub(crate) fn in_range<Q, C>(mut query: Q, seq: C, range: SeqRange) -> Q
where
    Q: FilterDsl<Likelihood<Gt<C, i64>>, Output = Q> + FilterDsl<Likelihood<Lt<C, i64>>, Output = Q>,
    C: ExpressionMethods + Expression<SqlType = BigInt> + Copy,
{
    if let Some(after) = range.after {
        query = FilterDsl::filter(query, unselective(seq.gt(after)));
    }
    if let Some(before) = range.before {
        query = FilterDsl::filter(query, unselective(seq.lt(before)));
    }
    query
}

/// A query whose rows come in the order of `seq`.
pub(crate) fn in_order<Q, C>(query: Q, seq: C, order: Order) -> Q
where
    Q: OrderDsl<Asc<C>, Output = Q> + OrderDsl<Desc<C>, Output = Q>,
    C: ExpressionMethods + Expression,
{
    match order {
        Order::Ascending => OrderDsl::order(query, seq.asc()),
        Order::Descending => OrderDsl::order(query, seq.desc()),
    }
}
