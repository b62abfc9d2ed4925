/** The shop: its gateway, what users ask of it, and the fifteen services and thirteen dependencies behind it. Data only. */

import { AUTH, CART, CATALOG, INVENTORY, PRICING, RECOMMENDATION, REVIEW, SEARCH, USER } from './shop-browsing.ts';
import { CHECKOUT, FRAUD, NOTIFICATION, ORDER, PAYMENT, SHIPPING } from './shop-buying.ts';
import { DEPENDENCIES } from './shop-dependencies.ts';
import type { CallModel, OperationModel, ServiceModel, ShopModel, Step } from './shop-model.ts';

/** The gateway waits longest and does not retry: its clients do. */
function ask(to: string, more: Omit<CallModel, 'to'> = {}): CallModel {
  return { to, retries: 0, timeoutMs: 8_000, ...more };
}

const SIGNED_IN: Step = [ask('auth/ValidateSession')];

function route(name: string, selfMs: number, steps: readonly Step[]): OperationModel {
  return {
    name,
    selfMs,
    steps,
    info: `${name} 200 {bytes}B client={ip} request={id}`,
    infoShare: 0.5,
    failure: {
      exception: 'ProxyError',
      message: 'upstream closed the connection before headers were read, request {id}',
    },
  };
}

const GATEWAY: ServiceModel = {
  name: 'gateway',
  runtime: 'nodejs',
  protocol: 'http',
  pods: 3,
  version: '5.14.2',
  cpu: 0.34,
  memoryMiB: 768,
  operations: [
    route('GET /', 3, [
      [ask('catalog/ListFeatured'), ask('recommendation/GET /for-user', { optional: true, timeoutMs: 900 })],
    ]),
    route('GET /products/{id}', 3.5, [
      [ask('auth/ValidateSession', { probability: 0.6 })],
      [ask('catalog/GetProduct'), ask('pricing/Quote'), ask('inventory/GetStock')],
      [
        ask('review/ListReviews', { optional: true, timeoutMs: 900 }),
        ask('recommendation/GET /similar', { optional: true, probability: 0.7, timeoutMs: 900 }),
      ],
    ]),
    route('GET /search', 3, [[ask('search/Query')], [ask('pricing/Quote')]]),
    route('GET /cart', 2.5, [SIGNED_IN, [ask('cart/GetCart')], [ask('pricing/Quote')]]),
    route('POST /cart/items', 2.5, [SIGNED_IN, [ask('cart/AddItem')]]),
    route('POST /checkout', 4, [SIGNED_IN, [ask('checkout/POST /orders', { timeoutMs: 15_000 })]]),
    route('GET /orders', 3, [SIGNED_IN, [ask('order/ListOrders'), ask('user/GET /users/{id}', { optional: true })]]),
    route('POST /login', 3, [[ask('auth/Login')]]),
    route('POST /reviews', 3, [SIGNED_IN, [ask('review/AddReview')]]),
  ],
};

export const SHOP: ShopModel = {
  entryService: 'gateway',
  entries: [
    { operation: 'GET /', weight: 0.19 },
    { operation: 'GET /products/{id}', weight: 0.28 },
    { operation: 'GET /search', weight: 0.15 },
    { operation: 'GET /cart', weight: 0.1 },
    { operation: 'POST /cart/items', weight: 0.08 },
    { operation: 'POST /checkout', weight: 0.09 },
    { operation: 'GET /orders', weight: 0.05 },
    { operation: 'POST /login', weight: 0.05 },
    { operation: 'POST /reviews', weight: 0.01 },
  ],
  /** Their order deals out who may be hurt under which seed: see pick-victim.ts. */
  services: [
    GATEWAY,
    AUTH,
    CATALOG,
    PRICING,
    CHECKOUT,
    SEARCH,
    INVENTORY,
    PAYMENT,
    CART,
    ORDER,
    SHIPPING,
    FRAUD,
    RECOMMENDATION,
    REVIEW,
    USER,
    NOTIFICATION,
  ],
  dependencies: DEPENDENCIES,
};
