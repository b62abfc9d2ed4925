/** The services that people browsing the shop touch: who they are, what is in it, what it costs, their carts. Data only. */
import { call, type ServiceModel } from './shop-model.ts';

export const AUTH: ServiceModel = {
  name: 'auth',
  runtime: 'go',
  protocol: 'grpc',
  pods: 2,
  version: '2.9.0',
  cpu: 0.26,
  memoryMiB: 256,
  operations: [
    {
      name: 'ValidateSession',
      selfMs: 1.2,
      steps: [
        [call('session-cache/GET session', { timeoutMs: 500 })],
        [call('users-db/SELECT sessions', { probability: 0.04, onMissOf: 'session-cache' })],
      ],
      info: 'session {id} valid for {ttl}s',
      infoShare: 0.08,
      failure: { exception: 'TokenError', message: 'could not verify signature of token {id}: key not loaded' },
    },
    {
      name: 'Login',
      selfMs: 38,
      steps: [[call('users-db/SELECT users')], [call('session-cache/SETEX session', { timeoutMs: 500 })]],
      info: 'login succeeded for {user} from {ip}',
      infoShare: 0.7,
      failure: { exception: 'HashError', message: 'argon2 worker returned no digest after {n} ms' },
      rejected: { share: 0.03, http: 401, grpc: 16, message: 'wrong password for {user}' },
    },
  ],
};

export const CATALOG: ServiceModel = {
  name: 'catalog',
  runtime: 'jvm',
  protocol: 'grpc',
  pods: 3,
  version: '7.3.1',
  cpu: 0.37,
  memoryMiB: 1536,
  operations: [
    {
      name: 'GetProduct',
      selfMs: 4,
      steps: [
        [call('product-cache/MGET product', { timeoutMs: 500, optional: true })],
        [call('catalog-db/SELECT products', { probability: 0.45, onMissOf: 'product-cache' })],
      ],
      info: 'Loaded product {sku} in {n} ms',
      infoShare: 0.12,
      failure: { exception: 'com.shop.catalog.MappingException', message: 'no category for product {sku}' },
      rejected: { share: 0.004, http: 404, grpc: 5, message: 'product {sku} does not exist' },
    },
    {
      name: 'ListFeatured',
      selfMs: 6,
      steps: [
        [call('product-cache/MGET product', { timeoutMs: 500, optional: true })],
        [call('catalog-db/SELECT products', { probability: 0.3, onMissOf: 'product-cache' })],
      ],
      info: 'Featured page {n} built for region {region}',
      infoShare: 0.12,
      failure: { exception: 'com.shop.catalog.MappingException', message: 'no category for product {sku}' },
    },
  ],
};

export const PRICING: ServiceModel = {
  name: 'pricing',
  runtime: 'go',
  protocol: 'grpc',
  pods: 3,
  version: '4.0.8',
  cpu: 0.31,
  memoryMiB: 384,
  operations: [
    {
      name: 'Quote',
      selfMs: 3.2,
      steps: [
        [call('product-cache/GET price', { timeoutMs: 500 })],
        [call('catalog-db/SELECT prices', { probability: 0.06, onMissOf: 'product-cache' })],
      ],
      info: 'quote {id}: {n} lines, total {money}',
      infoShare: 0.12,
      failure: { exception: 'RuleError', message: 'promotion {n} has no validity window' },
    },
  ],
};

export const SEARCH: ServiceModel = {
  name: 'search',
  runtime: 'jvm',
  protocol: 'grpc',
  pods: 2,
  version: '3.18.0',
  cpu: 0.39,
  memoryMiB: 2048,
  operations: [
    {
      name: 'Query',
      selfMs: 7,
      steps: [[call('search-index/search products', { timeoutMs: 1_500 })]],
      info: "query '{word} {word}' matched {n} products",
      infoShare: 0.4,
      failure: {
        exception: 'com.shop.search.ParseException',
        message: "cannot parse '{word}': lexical error at column {n}",
      },
    },
  ],
};

export const INVENTORY: ServiceModel = {
  name: 'inventory',
  runtime: 'go',
  protocol: 'grpc',
  pods: 2,
  version: '6.1.3',
  cpu: 0.28,
  memoryMiB: 384,
  operations: [
    {
      name: 'GetStock',
      selfMs: 2,
      steps: [[call('catalog-db/SELECT stock')]],
      info: 'stock of {sku}: {n} in {region}',
      infoShare: 0.1,
      failure: { exception: 'StockError', message: 'negative stock of {sku} in warehouse {n}' },
    },
    {
      name: 'Reserve',
      selfMs: 4,
      steps: [[call('catalog-db/SELECT stock')], [call('catalog-db/UPDATE stock')]],
      info: 'reserved {n} x {sku} for order {id}',
      infoShare: 0.8,
      failure: { exception: 'StockError', message: 'lost race for {sku}: {n} left' },
    },
  ],
};

export const CART: ServiceModel = {
  name: 'cart',
  runtime: 'nodejs',
  protocol: 'grpc',
  pods: 2,
  version: '3.0.12',
  cpu: 0.27,
  memoryMiB: 512,
  operations: [
    {
      name: 'GetCart',
      selfMs: 2.2,
      steps: [
        [call('cart-cache/HGETALL cart', { timeoutMs: 500 })],
        [call('orders-db/SELECT carts', { probability: 0.05, onMissOf: 'cart-cache' })],
      ],
      info: 'cart of {customer}: {n} items',
      infoShare: 0.2,
      failure: { exception: 'RangeError', message: 'Invalid cart version {n}' },
    },
    {
      name: 'AddItem',
      selfMs: 3,
      steps: [
        [call('inventory/GetStock'), call('catalog/GetProduct')],
        [call('cart-cache/HSET cart', { timeoutMs: 500 })],
      ],
      info: 'added {sku} to cart of {customer}',
      infoShare: 0.5,
      failure: { exception: 'RangeError', message: 'Invalid cart version {n}' },
    },
  ],
};

export const RECOMMENDATION: ServiceModel = {
  name: 'recommendation',
  runtime: 'python',
  protocol: 'http',
  pods: 2,
  version: '1.22.5',
  cpu: 0.42,
  memoryMiB: 2048,
  operations: [
    {
      name: 'GET /for-user',
      selfMs: 22,
      sigma: 0.5,
      steps: [[call('product-cache/MGET product', { timeoutMs: 500 })]],
      info: 'ranked {n} candidates for {customer} with model m{digit}',
      infoShare: 0.2,
      failure: { exception: 'ValueError', message: 'cannot reshape array of size {n} into shape (64,)' },
    },
    {
      name: 'GET /similar',
      selfMs: 17,
      sigma: 0.5,
      steps: [[call('product-cache/MGET product', { timeoutMs: 500 })]],
      info: 'similar({sku}) returned {n} items',
      infoShare: 0.2,
      failure: { exception: 'KeyError', message: "embedding of '{sku}'" },
    },
  ],
};

export const REVIEW: ServiceModel = {
  name: 'review',
  runtime: 'nodejs',
  protocol: 'grpc',
  pods: 2,
  version: '2.4.7',
  cpu: 0.24,
  memoryMiB: 512,
  operations: [
    {
      name: 'ListReviews',
      selfMs: 3,
      steps: [[call('reviews-db/find reviews')]],
      info: 'listed {n} reviews of {sku}',
      infoShare: 0.15,
      failure: { exception: 'TypeError', message: "Cannot read properties of undefined (reading 'stars')" },
    },
    {
      name: 'AddReview',
      selfMs: 5,
      steps: [[call('catalog/GetProduct', { optional: true })], [call('reviews-db/insert reviews', { retries: 0 })]],
      info: 'review {id} of {sku} accepted',
      infoShare: 0.8,
      failure: { exception: 'ValidationError', message: 'language of review {id} not detected' },
    },
  ],
};

export const USER: ServiceModel = {
  name: 'user',
  runtime: 'jvm',
  protocol: 'http',
  pods: 2,
  version: '8.2.0',
  cpu: 0.2,
  memoryMiB: 1024,
  operations: [
    {
      name: 'GET /users/{id}',
      selfMs: 3.5,
      steps: [[call('users-db/SELECT profiles')]],
      info: 'Profile of {user} read',
      infoShare: 0.2,
      failure: { exception: 'com.shop.user.ConsentException', message: 'no consent record for {user}' },
    },
  ],
};
