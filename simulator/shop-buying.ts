/** The services behind the checkout button: order, payment, fraud, shipping and the mail afterwards. Data only. */
import { call, type ServiceModel } from './shop-model.ts';

export const CHECKOUT: ServiceModel = {
  name: 'checkout',
  runtime: 'jvm',
  protocol: 'http',
  pods: 3,
  version: '9.6.4',
  cpu: 0.3,
  memoryMiB: 1536,
  operations: [
    {
      name: 'POST /orders',
      selfMs: 12,
      steps: [
        [call('cart/GetCart')],
        [call('pricing/Quote'), call('inventory/Reserve', { retries: 1 }), call('shipping/Estimate')],
        [call('fraud/POST /score')],
        [call('payment/Charge', { retries: 0, timeoutMs: 4_000 })],
        [call('order/CreateOrder')],
      ],
      info: 'Order {id} placed for {customer}: {n} items, {money}',
      infoShare: 1,
      failure: { exception: 'com.shop.checkout.OrderStateException', message: 'order {id} left state DRAFT twice' },
    },
  ],
};

export const PAYMENT: ServiceModel = {
  name: 'payment',
  runtime: 'jvm',
  protocol: 'grpc',
  pods: 2,
  version: '5.5.9',
  cpu: 0.23,
  memoryMiB: 1024,
  operations: [
    {
      name: 'Charge',
      selfMs: 7,
      steps: [
        [call('payments-db/INSERT charges')],
        [call('payment-provider/POST /v1/charges', { retries: 0, timeoutMs: 3_000 })],
        [call('payments-db/UPDATE charges')],
      ],
      info: 'Charged {money} for order {id}, provider reference {id}',
      infoShare: 1,
      failure: { exception: 'com.shop.payment.IdempotencyException', message: 'key {id} was used with another amount' },
      rejected: { share: 0.012, http: 402, grpc: 9, message: 'card declined, code {n}' },
    },
  ],
};

export const ORDER: ServiceModel = {
  name: 'order',
  runtime: 'jvm',
  protocol: 'grpc',
  pods: 2,
  version: '4.7.0',
  cpu: 0.27,
  memoryMiB: 1536,
  operations: [
    {
      name: 'CreateOrder',
      selfMs: 6,
      steps: [
        [call('orders-db/INSERT orders')],
        [call('orders-db/INSERT order_lines')],
        [call('notification/order.placed', { retries: 0 })],
      ],
      info: 'Order {id} stored with {n} lines',
      infoShare: 1,
      failure: { exception: 'com.shop.order.SequenceException', message: 'order number {n} already taken' },
    },
    {
      name: 'ListOrders',
      selfMs: 5,
      steps: [[call('orders-db/SELECT orders')], [call('shipping/Track', { probability: 0.7, optional: true })]],
      info: '{n} orders of {customer} listed',
      infoShare: 0.3,
      failure: { exception: 'com.shop.order.SequenceException', message: 'order number {n} already taken' },
    },
  ],
};

export const SHIPPING: ServiceModel = {
  name: 'shipping',
  runtime: 'go',
  protocol: 'grpc',
  pods: 2,
  version: '2.13.6',
  cpu: 0.22,
  memoryMiB: 256,
  operations: [
    {
      name: 'Estimate',
      selfMs: 3,
      steps: [[call('carrier-api/POST /rates', { timeoutMs: 1_500 })]],
      info: 'estimate {id}: {n} parcels to {region}, {money}',
      infoShare: 0.8,
      failure: { exception: 'RateError', message: 'no rate for zone {n}' },
    },
    {
      name: 'Track',
      selfMs: 2,
      steps: [[call('orders-db/SELECT shipments')]],
      info: 'tracking of order {id}: {n} scans',
      infoShare: 0.3,
      failure: { exception: 'RateError', message: 'no rate for zone {n}' },
    },
  ],
};

export const FRAUD: ServiceModel = {
  name: 'fraud',
  runtime: 'python',
  protocol: 'http',
  pods: 2,
  version: '0.31.2',
  cpu: 0.36,
  memoryMiB: 1024,
  operations: [
    {
      name: 'POST /score',
      selfMs: 24,
      sigma: 0.45,
      steps: [[call('payments-db/SELECT charges')]],
      info: 'score of order {id}: 0.{n}',
      infoShare: 1,
      failure: { exception: 'FeatureError', message: 'feature vector has {n} of 48 values' },
    },
  ],
};

export const NOTIFICATION: ServiceModel = {
  name: 'notification',
  runtime: 'nodejs',
  protocol: 'consumer',
  queue: 'order-queue',
  pods: 2,
  version: '1.8.3',
  cpu: 0.16,
  memoryMiB: 384,
  operations: [
    {
      name: 'order.placed',
      selfMs: 9,
      steps: [[call('user/GET /users/{id}')], [call('mail-provider/POST /send', { timeoutMs: 5_000 })]],
      info: 'mail {id} sent to {user}',
      infoShare: 1,
      failure: { exception: 'TemplateError', message: 'template order-placed-{n} has no subject' },
    },
  ],
};
