// A chat is a tree: editing a message or answering it again adds a sibling and keeps the old
// branch. Of each set of siblings one is on the page.

export const real = ({ id }) => typeof id === 'number';  // the server has it

const key_of = (id) => (id === null || id === undefined ? 'root' : String(id));

export class ChatTree {
  constructor(messages = []) {
    this.by_id = new Map();
    this.children = new Map();  // of a parent's key: ids, oldest first
    this.chosen = new Map();    // of a parent's key: the id on the page
    for (const message of messages) this.add(message);
  }

  // Adds a message, or changes one that is there, and puts it on the page.
  add(message) {
    const key = key_of(message.parent);
    if (!this.by_id.has(message.id)) {
      if (!this.children.has(key)) this.children.set(key, []);
      this.children.get(key).push(message.id);
    }
    this.by_id.set(message.id, { ...this.by_id.get(message.id), ...message });
    this.chosen.set(key, message.id);
  }

  siblings(message) {
    return this.children.get(key_of(message.parent)) || [];
  }

  // Shows the sibling that is `steps` further.
  turn(message, steps) {
    const all = this.siblings(message);
    const at = all.indexOf(message.id) + steps;
    if (at >= 0 && at < all.length) this.chosen.set(key_of(message.parent), all[at]);
  }

  // The message on the page that follows that of the id `parent`.
  after(parent) {
    return this.by_id.get(this.chosen.get(key_of(parent)));
  }

  // The messages on the page, from the first to the last.
  path() {
    const found = [];
    let key = 'root';
    while (this.chosen.has(key) && found.length < 10000) {
      const message = this.by_id.get(this.chosen.get(key));
      found.push(message);
      key = key_of(message.id);
    }
    return found;
  }
}
