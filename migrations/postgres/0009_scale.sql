ALTER TABLE "identities" ADD COLUMN "checked_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "identities" ADD COLUMN "password_changed_at" timestamp (3) with time zone;--> statement-breakpoint
CREATE INDEX "identities_checked" ON "identities" USING btree ("provider","checked_at");