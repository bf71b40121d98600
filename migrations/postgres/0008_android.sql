ALTER TABLE "phones" ADD COLUMN "model" text;--> statement-breakpoint
ALTER TABLE "phones" ADD COLUMN "screen_width" bigint;--> statement-breakpoint
ALTER TABLE "phones" ADD COLUMN "screen_height" bigint;--> statement-breakpoint
ALTER TABLE "phones" ADD COLUMN "unreachable_since" timestamp (3) with time zone;