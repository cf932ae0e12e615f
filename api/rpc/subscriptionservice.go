package rpc

import (
	"context"

	"gec/api/gecv1"
	"gec/bundles"
	"gec/engine"
)

// subscriptionServer is SubscriptionService over gRPC.
type subscriptionServer struct {
	gecv1.UnimplementedSubscriptionServiceServer
	authors
}

// oneParty says what is wrong with a request that names neither the PSP nor the EC, or both.
func oneParty(psp, ec string) error {
	if (psp == "") == (ec == "") {
		return bundles.Faults{{Path: "psp", Reason: "or creditor_institution is needed, and not both", Fix: "name the party that the caller acts for"}}
	}
	return nil
}

func noAnswer(fix string) error {
	return bundles.Faults{{Path: "answer", Reason: "is none of the party named", Fix: fix}}
}

// MakeOffers implements SubscriptionService.
func (s *subscriptionServer) MakeOffers(ctx context.Context, in *gecv1.MakeOffersRequest) (*gecv1.MakeOffersResponse, error) {
	caller, err := s.caller(ctx)
	if err != nil {
		return nil, err
	}
	offers, err := s.catalogue.MakeOffers(ctx, caller, in.GetPsp(), in.GetBundle(), in.GetCreditorInstitutions())
	if err != nil {
		return nil, err
	}
	return &gecv1.MakeOffersResponse{Offers: offerMessages(offers)}, nil
}

// ListOffers implements SubscriptionService.
func (s *subscriptionServer) ListOffers(ctx context.Context, in *gecv1.ListOffersRequest) (*gecv1.ListOffersResponse, error) {
	caller, err := s.caller(ctx)
	if err == nil {
		err = oneParty(in.GetPsp(), in.GetCreditorInstitution())
	}
	if err != nil {
		return nil, err
	}
	var offers []bundles.Offer
	if in.GetPsp() != "" {
		offers, err = s.catalogue.PSPOffers(ctx, caller, in.GetPsp(), 0)
	} else {
		offers, err = s.catalogue.Offers(ctx, caller, in.GetCreditorInstitution(), 0)
	}
	if err != nil {
		return nil, err
	}
	return &gecv1.ListOffersResponse{Offers: offerMessages(offers)}, nil
}

// AnswerOffer implements SubscriptionService.
func (s *subscriptionServer) AnswerOffer(ctx context.Context, in *gecv1.AnswerOfferRequest) (*gecv1.AnswerOfferResponse, error) {
	caller, err := s.caller(ctx)
	if err == nil {
		err = oneParty(in.GetPsp(), in.GetCreditorInstitution())
	}
	if err != nil {
		return nil, err
	}
	out := &gecv1.AnswerOfferResponse{}
	switch answer := in.GetAnswer(); {
	case in.GetPsp() != "" && answer == gecv1.Answer_ANSWER_WITHDRAW:
		err = s.catalogue.WithdrawOffer(ctx, caller, in.GetPsp(), "", in.GetOffer())
	case in.GetPsp() == "" && answer == gecv1.Answer_ANSWER_REJECT:
		err = s.catalogue.RejectOffer(ctx, caller, in.GetCreditorInstitution(), in.GetOffer())
	case in.GetPsp() == "" && answer == gecv1.Answer_ANSWER_ACCEPT:
		var made bundles.Subscription
		made, err = s.catalogue.AcceptOffer(ctx, caller, in.GetCreditorInstitution(), in.GetOffer(), attributesOf(in.GetAttributes()))
		out.Subscription = subscriptionMessage(&made)
	default:
		err = noAnswer("a PSP withdraws its offers, a creditor institution accepts or rejects them")
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}

// MakeRequest implements SubscriptionService.
func (s *subscriptionServer) MakeRequest(ctx context.Context, in *gecv1.MakeRequestRequest) (*gecv1.MakeRequestResponse, error) {
	caller, err := s.caller(ctx)
	if err != nil {
		return nil, err
	}
	var d drafts
	validity := engine.Period{From: d.date("valid_from", in.GetValidFrom()), To: d.date("valid_to", in.GetValidTo())}
	if err := d.faults.Err(); err != nil {
		return nil, err
	}
	made, err := s.catalogue.MakeRequest(ctx, caller, in.GetCreditorInstitution(), in.GetBundle(), attributesOf(in.GetAttributes()), validity)
	if err != nil {
		return nil, err
	}
	return &gecv1.MakeRequestResponse{Request: requestMessage(&made)}, nil
}

// ListRequests implements SubscriptionService.
func (s *subscriptionServer) ListRequests(ctx context.Context, in *gecv1.ListRequestsRequest) (*gecv1.ListRequestsResponse, error) {
	caller, err := s.caller(ctx)
	if err == nil {
		err = oneParty(in.GetPsp(), in.GetCreditorInstitution())
	}
	if err != nil {
		return nil, err
	}
	var requests []bundles.Request
	if in.GetPsp() != "" {
		requests, err = s.catalogue.PSPRequests(ctx, caller, in.GetPsp(), 0)
	} else {
		requests, err = s.catalogue.Requests(ctx, caller, in.GetCreditorInstitution(), 0)
	}
	if err != nil {
		return nil, err
	}
	return &gecv1.ListRequestsResponse{Requests: requestMessages(requests)}, nil
}

// AnswerRequest implements SubscriptionService.
func (s *subscriptionServer) AnswerRequest(ctx context.Context, in *gecv1.AnswerRequestRequest) (*gecv1.AnswerRequestResponse, error) {
	caller, err := s.caller(ctx)
	if err == nil {
		err = oneParty(in.GetPsp(), in.GetCreditorInstitution())
	}
	if err != nil {
		return nil, err
	}
	out := &gecv1.AnswerRequestResponse{}
	switch answer := in.GetAnswer(); {
	case in.GetPsp() == "" && answer == gecv1.Answer_ANSWER_WITHDRAW:
		err = s.catalogue.WithdrawRequest(ctx, caller, in.GetCreditorInstitution(), in.GetRequest())
	case in.GetPsp() != "" && answer == gecv1.Answer_ANSWER_REJECT:
		err = s.catalogue.RejectRequest(ctx, caller, in.GetPsp(), in.GetRequest())
	case in.GetPsp() != "" && answer == gecv1.Answer_ANSWER_ACCEPT:
		var made bundles.Subscription
		made, err = s.catalogue.AcceptRequest(ctx, caller, in.GetPsp(), in.GetRequest())
		out.Subscription = subscriptionMessage(&made)
	default:
		err = noAnswer("a creditor institution withdraws its requests, a PSP accepts or rejects them")
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}

// ListSubscriptions implements SubscriptionService.
func (s *subscriptionServer) ListSubscriptions(ctx context.Context, in *gecv1.ListSubscriptionsRequest) (*gecv1.ListSubscriptionsResponse, error) {
	caller, err := s.caller(ctx)
	if err == nil {
		err = oneParty(in.GetPsp(), in.GetCreditorInstitution())
	}
	if err != nil {
		return nil, err
	}
	var all []bundles.Subscription
	if in.GetPsp() != "" {
		all, err = s.catalogue.Subscribers(ctx, caller, in.GetPsp(), in.GetBundle(), in.GetRevision())
	} else {
		all, err = s.catalogue.Subscriptions(ctx, caller, in.GetRevision(), in.GetCreditorInstitution())
	}
	if err != nil {
		return nil, err
	}
	out := &gecv1.ListSubscriptionsResponse{}
	for n := range all {
		out.Subscriptions = append(out.Subscriptions, subscriptionMessage(&all[n]))
	}
	return out, nil
}

// EndSubscription implements SubscriptionService.
func (s *subscriptionServer) EndSubscription(ctx context.Context, in *gecv1.EndSubscriptionRequest) (*gecv1.EndSubscriptionResponse, error) {
	caller, err := s.caller(ctx)
	if err != nil {
		return nil, err
	}
	left, err := s.catalogue.Leave(ctx, caller, in.GetCreditorInstitution(), in.GetSubscription())
	if err != nil {
		return nil, err
	}
	return &gecv1.EndSubscriptionResponse{Subscription: subscriptionMessage(&left)}, nil
}

// AddAttributes implements SubscriptionService.
func (s *subscriptionServer) AddAttributes(ctx context.Context, in *gecv1.AddAttributesRequest) (*gecv1.AddAttributesResponse, error) {
	caller, err := s.caller(ctx)
	if err != nil {
		return nil, err
	}
	ids, err := s.catalogue.AddAttributes(ctx, caller, in.GetCreditorInstitution(), in.GetSubscription(), attributesOf(in.GetAttributes()))
	if err != nil {
		return nil, err
	}
	return &gecv1.AddAttributesResponse{Ids: ids}, nil
}

// ChangeAttribute implements SubscriptionService.
func (s *subscriptionServer) ChangeAttribute(ctx context.Context, in *gecv1.ChangeAttributeRequest) (*gecv1.ChangeAttributeResponse, error) {
	caller, err := s.caller(ctx)
	if err != nil {
		return nil, err
	}
	a := attributesOf([]*gecv1.Attribute{in.GetAttribute()})[0]
	if err := s.catalogue.ChangeAttribute(ctx, caller, in.GetCreditorInstitution(), in.GetSubscription(), in.GetAttribute().GetId(), a); err != nil {
		return nil, err
	}
	return &gecv1.ChangeAttributeResponse{}, nil
}

// RemoveAttribute implements SubscriptionService.
func (s *subscriptionServer) RemoveAttribute(ctx context.Context, in *gecv1.RemoveAttributeRequest) (*gecv1.RemoveAttributeResponse, error) {
	caller, err := s.caller(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.catalogue.RemoveAttribute(ctx, caller, in.GetCreditorInstitution(), in.GetSubscription(), in.GetAttribute()); err != nil {
		return nil, err
	}
	return &gecv1.RemoveAttributeResponse{}, nil
}
