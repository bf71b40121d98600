CREATE TABLE "billing_accounts" (
	"team_id" text PRIMARY KEY NOT NULL,
	"customer_id" text,
	"currency" text,
	"time_zone" text NOT NULL,
	"overage_allowed" boolean NOT NULL,
	"overage_cap" bigint NOT NULL,
	"frozen" text,
	"frozen_at" timestamp (3) with time zone,
	"trial_at" timestamp (3) with time zone,
	"past_due_since" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "budgets" (
	"id" text PRIMARY KEY NOT NULL,
	"team_id" text NOT NULL,
	"scope" text NOT NULL,
	"member_id" text,
	"phone_id" text,
	"measure" text NOT NULL,
	"limit" bigint NOT NULL,
	"month" text NOT NULL,
	"spent" bigint NOT NULL,
	"alerted" bigint NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "checkouts" (
	"id" text PRIMARY KEY NOT NULL,
	"team_id" text NOT NULL,
	"started_by" text,
	"session_id" text,
	"what" text NOT NULL,
	"amount" bigint NOT NULL,
	"currency" text NOT NULL,
	"state" text NOT NULL,
	"url" text,
	"idempotency_key" text NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"fulfilled_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "dedicated_phones" (
	"phone_id" text PRIMARY KEY NOT NULL,
	"team_id" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "grants" (
	"id" text PRIMARY KEY NOT NULL,
	"team_id" text NOT NULL,
	"kind" text NOT NULL,
	"name" text NOT NULL,
	"source" text NOT NULL,
	"source_id" text NOT NULL,
	"total" bigint NOT NULL,
	"remaining" bigint NOT NULL,
	"starts_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "invoices" (
	"id" text PRIMARY KEY NOT NULL,
	"team_id" text NOT NULL,
	"subscription_id" text,
	"number" text,
	"status" text NOT NULL,
	"billing_reason" text,
	"words" text NOT NULL,
	"currency" text NOT NULL,
	"total" bigint NOT NULL,
	"tax" bigint NOT NULL,
	"amount_due" bigint NOT NULL,
	"amount_paid" bigint NOT NULL,
	"attempts" bigint NOT NULL,
	"next_attempt_at" timestamp (3) with time zone,
	"needs_confirmation" boolean NOT NULL,
	"hosted_url" text,
	"pdf_url" text,
	"period_start" timestamp (3) with time zone NOT NULL,
	"period_end" timestamp (3) with time zone NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"synced_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "ledger_entries" (
	"id" text PRIMARY KEY NOT NULL,
	"team_id" text,
	"cover" text NOT NULL,
	"source" text NOT NULL,
	"source_id" text NOT NULL,
	"grant_id" text,
	"ms" bigint NOT NULL,
	"amount" bigint NOT NULL,
	"delta" bigint NOT NULL,
	"currency" text NOT NULL,
	"interval_id" text,
	"phone_id" text,
	"from_at" timestamp (3) with time zone,
	"to_at" timestamp (3) with time zone,
	"day" text NOT NULL,
	"reverses_id" text,
	"reason" text,
	"created_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "money_back" (
	"id" text PRIMARY KEY NOT NULL,
	"team_id" text NOT NULL,
	"kind" text NOT NULL,
	"status" text NOT NULL,
	"amount" bigint NOT NULL,
	"currency" text NOT NULL,
	"charge_id" text,
	"source_id" text,
	"created_at" timestamp (3) with time zone NOT NULL,
	"synced_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "payg_days" (
	"team_id" text NOT NULL,
	"phone_id" text NOT NULL,
	"day" text NOT NULL,
	"ms" bigint NOT NULL,
	"amount" bigint NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "payg_days_phone_id_day_pk" PRIMARY KEY("phone_id","day")
);
--> statement-breakpoint
CREATE TABLE "reconcile_findings" (
	"id" text PRIMARY KEY NOT NULL,
	"run_id" text NOT NULL,
	"team_id" text,
	"kind" text NOT NULL,
	"object_id" text NOT NULL,
	"words" text NOT NULL,
	"resolved_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "reconcile_runs" (
	"id" text PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"started_at" timestamp (3) with time zone NOT NULL,
	"finished_at" timestamp (3) with time zone,
	"events_until" timestamp (3) with time zone,
	"looked" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "sandbox_objects" (
	"id" text PRIMARY KEY NOT NULL,
	"type" text NOT NULL,
	"team_id" text,
	"customer_id" text,
	"data" jsonb NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "stripe_calls" (
	"id" text PRIMARY KEY NOT NULL,
	"team_id" text,
	"kind" text NOT NULL,
	"idempotency_key" text NOT NULL,
	"input" jsonb NOT NULL,
	"state" text NOT NULL,
	"attempts" bigint NOT NULL,
	"result_id" text,
	"error" text,
	"created_at" timestamp (3) with time zone NOT NULL,
	"done_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "stripe_events" (
	"id" text PRIMARY KEY NOT NULL,
	"type" text NOT NULL,
	"object_id" text NOT NULL,
	"livemode" boolean NOT NULL,
	"api_version" text,
	"created_at" timestamp (3) with time zone NOT NULL,
	"received_at" timestamp (3) with time zone NOT NULL,
	"processed_at" timestamp (3) with time zone,
	"via" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "subscriptions" (
	"id" text PRIMARY KEY NOT NULL,
	"team_id" text NOT NULL,
	"customer_id" text NOT NULL,
	"status" text NOT NULL,
	"items" jsonb NOT NULL,
	"currency" text NOT NULL,
	"period_start" timestamp (3) with time zone NOT NULL,
	"period_end" timestamp (3) with time zone NOT NULL,
	"anchor" timestamp (3) with time zone NOT NULL,
	"cancel_at" timestamp (3) with time zone,
	"cancel_at_period_end" boolean NOT NULL,
	"ended_at" timestamp (3) with time zone,
	"paused_at" timestamp (3) with time zone,
	"started_at" timestamp (3) with time zone NOT NULL,
	"synced_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "usage_holds" (
	"phone_id" text PRIMARY KEY NOT NULL,
	"team_id" text NOT NULL,
	"started_by" text,
	"created_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "usage_intervals" (
	"id" text PRIMARY KEY NOT NULL,
	"team_id" text NOT NULL,
	"phone_id" text NOT NULL,
	"started_by" text,
	"started_at" timestamp (3) with time zone NOT NULL,
	"last_seen_at" timestamp (3) with time zone NOT NULL,
	"ended_at" timestamp (3) with time zone,
	"end_reason" text,
	"rated_at" timestamp (3) with time zone NOT NULL,
	"node" text NOT NULL,
	"boot" text NOT NULL
);
--> statement-breakpoint
ALTER TABLE "billing_accounts" ADD CONSTRAINT "billing_accounts_team_id_teams_id_fk" FOREIGN KEY ("team_id") REFERENCES "public"."teams"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "budgets" ADD CONSTRAINT "budgets_team_id_teams_id_fk" FOREIGN KEY ("team_id") REFERENCES "public"."teams"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "budgets" ADD CONSTRAINT "budgets_member_id_users_id_fk" FOREIGN KEY ("member_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "checkouts" ADD CONSTRAINT "checkouts_team_id_teams_id_fk" FOREIGN KEY ("team_id") REFERENCES "public"."teams"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "checkouts" ADD CONSTRAINT "checkouts_started_by_users_id_fk" FOREIGN KEY ("started_by") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "dedicated_phones" ADD CONSTRAINT "dedicated_phones_team_id_teams_id_fk" FOREIGN KEY ("team_id") REFERENCES "public"."teams"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "grants" ADD CONSTRAINT "grants_team_id_teams_id_fk" FOREIGN KEY ("team_id") REFERENCES "public"."teams"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "invoices" ADD CONSTRAINT "invoices_team_id_teams_id_fk" FOREIGN KEY ("team_id") REFERENCES "public"."teams"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "money_back" ADD CONSTRAINT "money_back_team_id_teams_id_fk" FOREIGN KEY ("team_id") REFERENCES "public"."teams"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "payg_days" ADD CONSTRAINT "payg_days_team_id_teams_id_fk" FOREIGN KEY ("team_id") REFERENCES "public"."teams"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "subscriptions" ADD CONSTRAINT "subscriptions_team_id_teams_id_fk" FOREIGN KEY ("team_id") REFERENCES "public"."teams"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "usage_holds" ADD CONSTRAINT "usage_holds_team_id_teams_id_fk" FOREIGN KEY ("team_id") REFERENCES "public"."teams"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "usage_holds" ADD CONSTRAINT "usage_holds_started_by_users_id_fk" FOREIGN KEY ("started_by") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "usage_intervals" ADD CONSTRAINT "usage_intervals_team_id_teams_id_fk" FOREIGN KEY ("team_id") REFERENCES "public"."teams"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "usage_intervals" ADD CONSTRAINT "usage_intervals_started_by_users_id_fk" FOREIGN KEY ("started_by") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "billing_accounts_customer" ON "billing_accounts" USING btree ("customer_id");--> statement-breakpoint
CREATE INDEX "budgets_team" ON "budgets" USING btree ("team_id");--> statement-breakpoint
CREATE INDEX "budgets_person" ON "budgets" USING btree ("member_id");--> statement-breakpoint
CREATE UNIQUE INDEX "checkouts_key" ON "checkouts" USING btree ("team_id","idempotency_key");--> statement-breakpoint
CREATE UNIQUE INDEX "checkouts_session" ON "checkouts" USING btree ("session_id");--> statement-breakpoint
CREATE INDEX "checkouts_team" ON "checkouts" USING btree ("team_id","created_at");--> statement-breakpoint
CREATE INDEX "checkouts_person" ON "checkouts" USING btree ("started_by");--> statement-breakpoint
CREATE INDEX "checkouts_created" ON "checkouts" USING btree ("created_at");--> statement-breakpoint
CREATE INDEX "dedicated_phones_team" ON "dedicated_phones" USING btree ("team_id");--> statement-breakpoint
CREATE UNIQUE INDEX "grants_source" ON "grants" USING btree ("source","source_id","kind");--> statement-breakpoint
CREATE INDEX "grants_team" ON "grants" USING btree ("team_id","expires_at");--> statement-breakpoint
CREATE INDEX "invoices_team" ON "invoices" USING btree ("team_id","created_at");--> statement-breakpoint
CREATE INDEX "invoices_created" ON "invoices" USING btree ("created_at");--> statement-breakpoint
CREATE UNIQUE INDEX "ledger_entries_source" ON "ledger_entries" USING btree ("source","source_id","cover");--> statement-breakpoint
CREATE INDEX "ledger_entries_team" ON "ledger_entries" USING btree ("team_id","day");--> statement-breakpoint
CREATE INDEX "ledger_entries_grant" ON "ledger_entries" USING btree ("grant_id");--> statement-breakpoint
CREATE INDEX "ledger_entries_interval" ON "ledger_entries" USING btree ("interval_id");--> statement-breakpoint
CREATE INDEX "ledger_entries_created" ON "ledger_entries" USING btree ("created_at");--> statement-breakpoint
CREATE INDEX "money_back_team" ON "money_back" USING btree ("team_id","created_at");--> statement-breakpoint
CREATE INDEX "payg_days_team" ON "payg_days" USING btree ("team_id","day");--> statement-breakpoint
CREATE INDEX "payg_days_updated" ON "payg_days" USING btree ("updated_at");--> statement-breakpoint
CREATE UNIQUE INDEX "reconcile_findings_once" ON "reconcile_findings" USING btree ("kind","object_id");--> statement-breakpoint
CREATE INDEX "reconcile_findings_created" ON "reconcile_findings" USING btree ("created_at");--> statement-breakpoint
CREATE INDEX "reconcile_findings_team" ON "reconcile_findings" USING btree ("team_id");--> statement-breakpoint
CREATE INDEX "reconcile_runs_started" ON "reconcile_runs" USING btree ("started_at");--> statement-breakpoint
CREATE INDEX "sandbox_objects_type" ON "sandbox_objects" USING btree ("type","created_at");--> statement-breakpoint
CREATE INDEX "sandbox_objects_customer" ON "sandbox_objects" USING btree ("customer_id","type");--> statement-breakpoint
CREATE INDEX "sandbox_objects_team" ON "sandbox_objects" USING btree ("team_id");--> statement-breakpoint
CREATE UNIQUE INDEX "stripe_calls_key" ON "stripe_calls" USING btree ("idempotency_key");--> statement-breakpoint
CREATE INDEX "stripe_calls_state" ON "stripe_calls" USING btree ("state","created_at");--> statement-breakpoint
CREATE INDEX "stripe_calls_team" ON "stripe_calls" USING btree ("team_id");--> statement-breakpoint
CREATE INDEX "stripe_calls_created" ON "stripe_calls" USING btree ("created_at");--> statement-breakpoint
CREATE INDEX "stripe_events_received" ON "stripe_events" USING btree ("received_at");--> statement-breakpoint
CREATE INDEX "stripe_events_object" ON "stripe_events" USING btree ("object_id");--> statement-breakpoint
CREATE INDEX "subscriptions_team" ON "subscriptions" USING btree ("team_id");--> statement-breakpoint
CREATE INDEX "subscriptions_customer" ON "subscriptions" USING btree ("customer_id");--> statement-breakpoint
CREATE INDEX "usage_holds_team" ON "usage_holds" USING btree ("team_id");--> statement-breakpoint
CREATE INDEX "usage_holds_person" ON "usage_holds" USING btree ("started_by");--> statement-breakpoint
CREATE UNIQUE INDEX "usage_intervals_open" ON "usage_intervals" USING btree ("phone_id") WHERE ended_at is null;--> statement-breakpoint
CREATE INDEX "usage_intervals_team" ON "usage_intervals" USING btree ("team_id","started_at");--> statement-breakpoint
CREATE INDEX "usage_intervals_person" ON "usage_intervals" USING btree ("started_by");--> statement-breakpoint
CREATE INDEX "usage_intervals_beat" ON "usage_intervals" USING btree ("node") WHERE ended_at is null;--> statement-breakpoint
CREATE INDEX "usage_intervals_started" ON "usage_intervals" USING btree ("started_at");--> statement-breakpoint
CREATE INDEX "usage_intervals_phone" ON "usage_intervals" USING btree ("phone_id","started_at");--> statement-breakpoint
CREATE INDEX "usage_intervals_due" ON "usage_intervals" USING btree ("team_id") WHERE ended_at is null or rated_at < ended_at;