// The filters by what an entry says.

/** By name: the filters for entries that have this in common with the entry; null where it says nothing. */
export function picksOf({ actor, action, category, entity_type, entity_id }) {
  return {
    actor: actor === "" ? null : { actors: [actor] },
    action: action === "" ? null : { actions: [action] },
    category: category === "" ? null : { categories: [category] },
    entity: !entity_type || !entity_id ? null : { entity_type, entity_id },
  };
}
