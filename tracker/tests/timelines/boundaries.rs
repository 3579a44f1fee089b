//! Where views and slices begin and end.

use crate::timeline;

timeline!(
    a_slice_ends_at_the_mark_of_five_minutes,
    "0    source /film.mp4
     0    load 3600
     290  play
     310  leave",
    @"
   0.000 impression
 290.000 play_request @0
 290.000 play @0
 310.000 stop closed
slice 0 at 0.000 for 300.000: views=1 impressions=1 play_requests=1 plays=1 played_ms=10000 content_ms=10000 ladder_plays=1 startup_ms=1 active=10000
slice 1 at 300.000 for 10.000: stops=1 played_ms=10000 content_ms=10000 watched=1% active=1 stop_reason=closed
"
);

timeline!(
    a_long_pause_opens_no_slice,
    "0    source /film.mp4
     0    load 3600
     10   play
     20   pause
     1500 play
     1505 leave",
    @"
   0.000 impression
  10.000 play_request @0
  10.000 play @0
  20.000 pause @10
1500.000 resume @10
1505.000 stop closed
slice 0 at 0.000 for 300.000: views=1 impressions=1 play_requests=1 plays=1 pauses=1 played_ms=10000 content_ms=10000 paused_ms=280000 ladder_plays=1 startup_ms=1 active=1
slice 1 at 1500.000 for 5.000: resumes=1 stops=1 played_ms=5000 content_ms=5000 active=1 stop_reason=closed
"
);

timeline!(
    another_source_is_another_view,
    "0    source /one.mp4
     0    load 60
     0    play
     10   source /two.mp4
     10   load 30
     10   play
     15   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
  10.000 stop source_changed
slice 0 at 0.000 for 10.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=10000 content_ms=10000 ladder_plays=1 startup_ms=1 watched=17% active=1 stop_reason=source_changed
--- another view
  10.000 impression
  10.000 play_request @0
  10.000 play @0
  15.000 stop closed
slice 0 at 10.000 for 5.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=5000 content_ms=5000 ladder_plays=1 startup_ms=1 watched=17% active=1 stop_reason=closed
"
);

timeline!(
    a_media_source_that_is_attached_again_is_the_same_view,
    "0    source blob:https://example.org/1
     0    load 60
     0    play
     10   source blob:https://example.org/2
     10   load 60
     10   seek 10 0
     10   play
     15   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
  15.000 quartile watched 25 @15
  15.000 quartile position 25 @15
  15.000 stop closed
slice 0 at 0.000 for 15.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=15000 content_ms=15000 ladder_plays=1 startup_ms=1 reached_25=1 position_25=1 watched=25% active=1 stop_reason=closed
"
);

timeline!(
    a_placeholder_is_no_video,
    "0    source
     1    source data:video/mp4;base64,AAAA
     2    source https://cdn.example.org/blank.mp4
     3    leave",
    @""
);

timeline!(
    after_an_hour_of_nothing_it_is_another_view,
    "0    source /film.mp4
     0    load 60
     0    play
     10   pause
     3700 play
     3705 leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
  10.000 pause @10
3700.000 stop idle
slice 0 at 0.000 for 20.000: views=1 impressions=1 play_requests=1 plays=1 pauses=1 played_ms=10000 content_ms=10000 paused_ms=10000 ladder_plays=1 startup_ms=1 watched=17% active=1
slice 1 at 3700.000 for 0.000: stops=1 stop_reason=idle
--- another view
3700.000 impression
3700.000 play_request @10
3700.000 play @10
3705.000 quartile position 25 @15
3705.000 stop closed
slice 0 at 3700.000 for 5.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=5000 content_ms=5000 ladder_plays=1 startup_ms=1 position_25=1 watched=8% active=1 stop_reason=closed
"
);

timeline!(
    coming_back_from_the_cache_begins_another_view,
    "0    source /film.mp4
     0    load 60
     0    play
     5    leave
     10   return
     15   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   5.000 stop closed
slice 0 at 0.000 for 5.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=5000 content_ms=5000 ladder_plays=1 startup_ms=1 watched=8% active=1 stop_reason=closed
--- another view
  10.000 impression
  10.000 play_request @5
  10.000 play @5
  15.000 stop closed
slice 0 at 10.000 for 5.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=5000 content_ms=5000 ladder_plays=1 startup_ms=1 watched=9% active=1 stop_reason=closed
"
);
