/* Each view puts itself here: { id, title, every (ms, 0: never by itself), make(root, query) -> its refresh }. */
const views = [];
