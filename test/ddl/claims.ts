/** What the forms are tried against: documents over the fixture, each with what its stakeholder does all day. */

interface Match {
  path: string
  fields?: unknown
  access?: string[]
  optional?: boolean
}

export interface Claims {
  /** For the page. */
  name: string
  match: (Match | { alternatives: Match[] })[]
  /** What the stakeholder does. */
  use: string[]
}

const all = ['select', 'insert', 'update', 'delete']

/** Claims over one path; a reader of listed columns uses them without being told. */
export function claim(name: string, path: string, fields: unknown, options: { access?: string[]; use?: string[] } = {}): Claims {
  const names = Array.isArray(fields) ? fields.map((field) => (typeof field === 'string' ? field : field.name)) : ['*']
  return {
    name,
    match: [{ path, fields, ...(options.access ? { access: options.access } : {}) }],
    use: options.use ?? [`select ${names.join(', ')} from ${path}`],
  }
}

/** A reader of some columns; a path in `setup` of the row, or of the fixture. */
export const reads = (path: string, ...fields: unknown[]): Claims => claim('reader', path, fields)

/** A writer; `use` is what it does. */
export const writes = (path: string, fields: unknown, ...use: string[]): Claims => claim('writer', path, fields, { access: all, use })

export const inserts = (path: string, fields: unknown, ...use: string[]): Claims =>
  claim('inserts only', path, fields, { access: ['insert'], use })

const ordersWritten = ['number', 'customer_id', 'total', 'status', 'note']
const insertOrder = [
  `insert into shop.orders (number, customer_id, total, status, note) values ('N8', 1, 1.5, 'paid', null)`,
  `insert into shop.orders (number, total) values ('N9', 1.5)`,
]

export const reader = reads('shop.orders', 'id', ...ordersWritten)
export const writer = writes(
  'shop.orders',
  ordersWritten,
  'select number, customer_id, total, status, note from shop.orders',
  ...insertOrder,
  `update shop.orders set number = number, customer_id = customer_id, total = total, status = status, note = note`,
  `update shop.orders set note = null, customer_id = null where number = 'N1'`,
  `delete from shop.orders where number = 'N2'`,
)
export const inserter = inserts('shop.orders', ordersWritten, ...insertOrder)
export const updater = claim('updates only', 'shop.orders', ['number', 'note'], {
  access: ['select', 'update'],
  use: [`update shop.orders set note = 'x' where number = 'N1'`],
})
export const everyColumn = claim('reader of `*`', 'shop.orders', '*', { use: ['select number, total, note, vat from shop.orders'] })
export const writerOfEvery = claim('writer of `*`', 'shop.orders', '*', { access: all, use: writer.use })
export const wildcard = claim('reader of `shop.*`', 'shop.*', '*', {
  use: [
    'select id, number from shop.orders',
    'select id, name from shop.product',
    'select id, title from shop.ticket',
    'select * from shop.offer',
  ],
})
export const exists: Claims = { name: 'that it exists', match: [{ path: 'shop.orders' }], use: [] }

export const customers = reads('shop.customer', 'id', 'name', 'mail', 'home', 'tags')
export const customerWriter = writes(
  'shop.customer',
  ['name', 'mail', 'home', 'tags'],
  `insert into shop.customer (name, mail) values ('Kay', null)`,
  `insert into shop.customer (name, home, tags) values ('Kay', ('a', 'b'), array['new']::shop.status[])`,
  `update shop.customer set name = name, mail = mail, home = home, tags = tags`,
)
export const products = reads('shop.product', 'id', 'name', 'price')
export const offers = reads('shop.offer', 'id', 'name', 'price')
export const offerWriter = writes(
  'shop.offer',
  ['id', 'name', 'price'],
  'select id, name, price from shop.offer',
  `insert into shop.offer (id, name, price) values (9, 'Cap', 5)`,
  'update shop.offer set name = name, price = price',
  'delete from shop.offer where id = 1',
)
export const clearances = reads('shop.clearance', 'id', 'name')
export const priceList = reads('shop.price_list', 'id', 'price')
export const tickets = writes(
  'shop.ticket',
  ['id', 'title'],
  `insert into shop.ticket (title) values ('b')`,
  'update shop.ticket set title = title',
)
export const titles = writes('shop.ticket', ['title'], `insert into shop.ticket (title) values ('b')`)
export const measurements = reads('shop.measurement', 'taken_on', 'value')
export const measurementWriter = writes(
  'shop.measurement',
  ['taken_on', 'value'],
  `insert into shop.measurement (taken_on, value) values ('2026-05-05', 1)`,
  'update shop.measurement set value = value',
)
export const vehicles = reads('shop.vehicle', 'plate', 'wheels')
export const trucks = reads('shop.truck', 'plate', 'wheels', 'load')
export const rates = reads('shop.rate', 'currency', 'rate')
